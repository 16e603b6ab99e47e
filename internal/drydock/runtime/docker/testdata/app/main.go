// Command app is what the tests run in containers: its arguments are orders,
// obeyed one after another.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, order := range os.Args[1:] {
		verb, rest, _ := strings.Cut(order, "=")
		switch verb {
		case "say":
			fmt.Println(rest)
		case "complain":
			fmt.Fprintln(os.Stderr, rest)
		case "mutter": // no end of line
			fmt.Print(rest)
		case "ramble": // a line of so many bytes
			n, _ := strconv.Atoi(rest)
			fmt.Println(strings.Repeat("x", n))
		case "env":
			fmt.Println(os.Getenv(rest))
		case "where":
			dir, _ := os.Getwd()
			fmt.Println(dir, os.Getuid())
		case "exit":
			code, _ := strconv.Atoi(rest)
			os.Exit(code)
		case "answer": // HTTP on a port, as the path asks: /500, /slow
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					<-r.Context().Done()
				}
				code, _ := strconv.Atoi(r.URL.Path[1:])
				w.WriteHeader(code)
			})
			go func() { fmt.Println(http.ListenAndServe(":"+rest, handler)) }()
		case "listen":
			l, err := net.Listen("tcp", "127.0.0.1:"+rest)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					c.Close()
				}
			}()
		case "dial":
			c, err := net.DialTimeout("tcp", "127.0.0.1:"+rest, 5*time.Second)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			c.Close()
			fmt.Println("connected")
		case "eat": // so many MiB
			n, _ := strconv.Atoi(rest)
			var meal [][]byte
			for range n {
				bite := make([]byte, 1<<20)
				for i := range bite {
					bite[i] = 1
				}
				meal = append(meal, bite)
			}
			fmt.Println(len(meal))
		case "serve": // until SIGTERM
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, syscall.SIGTERM)
			fmt.Println("serving")
			<-signals
			fmt.Println("bye")
			os.Exit(143)
		case "resist": // SIGTERM
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, syscall.SIGTERM)
			fmt.Println("serving")
			for range signals {
				fmt.Println("no")
			}
		}
	}
}
