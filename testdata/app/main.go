// App is the application that the end-to-end tests build into images: it says
// what it does and serves until it is told to end, or exits with a code.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	version := flag.String("version", "", "what to say")
	code := flag.Int("exit", -1, "exit at once with this code")
	flag.Parse()
	fmt.Println("starting", *version)
	if *code >= 0 {
		fmt.Fprintln(os.Stderr, "fatal: required environment variable DATABASE_URL is not set")
		os.Exit(*code)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	fmt.Println("stopped")
}
