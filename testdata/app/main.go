// App is the application that the end-to-end tests build into images: it says
// what it does and serves until it is told to end, or exits with a code.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	version := flag.String("version", "", "what to say")
	code := flag.Int("exit", -1, "exit at once with this code")
	answer := flag.Int("answer", 0, "answer every HTTP request on port 8080 with this status")
	flag.Parse()
	fmt.Println("starting", *version)
	if *code >= 0 {
		fmt.Fprintln(os.Stderr, "fatal: required environment variable DATABASE_URL is not set")
		os.Exit(*code)
	}
	if *answer != 0 {
		go func() {
			err := http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(*answer) }))
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	fmt.Println("stopped")
}
