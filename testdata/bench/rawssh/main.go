// Rawssh is the limit that the benchmark compares with: one connection a host,
// one script, no plan, no second look, no records.
//
//	rawssh KEY KNOWN_HOSTS PORT SCRIPT ADDRESS...
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const timeout = time.Minute

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "usage: rawssh KEY KNOWN_HOSTS PORT SCRIPT ADDRESS...")
		os.Exit(2)
	}
	config, err := clientConfig(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "rawssh:", err)
		os.Exit(1)
	}
	if failed := runAll(config, os.Args[3], os.Args[4], os.Args[5:]); failed > 0 {
		os.Exit(1)
	}
}

func clientConfig(keyFile, knownHosts string) (*ssh.ClientConfig, error) {
	data, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, err
	}
	check, err := knownhosts.New(knownHosts)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, Timeout: timeout,
		HostKeyCallback: check, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}, nil
}

// runAll runs the script on all hosts at once and counts those that failed.
func runAll(config *ssh.ClientConfig, port, script string, addresses []string) int64 {
	var wg sync.WaitGroup
	var failed atomic.Int64
	for _, address := range addresses {
		wg.Go(func() {
			out, err := runOne(config, net.JoinHostPort(address, port), script)
			if err != nil {
				failed.Add(1)
				fmt.Fprintf(os.Stderr, "%s: %v: %s\n", address, err, out)
				return
			}
			fmt.Printf("%s: %s\n", address, strings.TrimSpace(out))
		})
	}
	wg.Wait()
	return failed.Load()
}

func runOne(config *ssh.ClientConfig, endpoint, script string) (string, error) {
	client, err := ssh.Dial("tcp", endpoint, config)
	if err != nil {
		return "", err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := session.CombinedOutput(script)
	return string(out), err
}
