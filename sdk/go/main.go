// A PandaFuzz bot: docs/protocol.md in Go. line.go has the stream, this file a fuzzing engine of a few
// lines: "stdin" runs the target with an input on its standard input, and a signal that ends the
// target is a crash. README.md lists the settings.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	pb "pandafuzz/sdk/generated/pandafuzz/v1"
)

const engine = "stdin"

// fuzz is one attempt of a job: from its target to its outcome.
func (b *bot) fuzz(r *run) (pb.JobOutcome, string) {
	target, err := b.artifact(r.ctx, r.spec.GetTargetSha256())
	if err != nil {
		return pb.JobOutcome_JOB_OUTCOME_INFRASTRUCTURE, fmt.Sprintf("the target cannot be had: %.1000v", err)
	}
	limits, began, found := r.spec.GetLimits(), time.Now(), map[string]bool{}
	for _, known := range r.known {
		found[known] = true
	}
	crashes := uint32(0)
	for r.ctx.Err() == nil && time.Since(began) < time.Duration(limits.GetMaxDurationSeconds())*time.Second {
		input := make([]byte, 1+rand.IntN(64))
		for at := range input {
			input[at] = byte(rand.Uint32())
		}
		report, crashed, err := execute(r, target, input)
		if err != nil {
			return pb.JobOutcome_JOB_OUTCOME_INFRASTRUCTURE, fmt.Sprintf("the target cannot be run: %.1000v", err)
		}
		sum := sha256.Sum256(input)
		digest := hex.EncodeToString(sum[:])
		r.update(func(s *pb.JobStatistics) {
			s.Executions++
			s.ElapsedMs = uint64(time.Since(began).Milliseconds())
			if crashed {
				s.CrashHits++
			}
		})
		if crashed && !found[digest] {
			found[digest] = true
			crashes++
			if err := b.report(r, input, digest, report); err != nil {
				return pb.JobOutcome_JOB_OUTCOME_INFRASTRUCTURE, fmt.Sprintf("a crash cannot be reported: %.1000v", err)
			}
			r.update(func(s *pb.JobStatistics) { s.CrashInputsKept++ })
			if crashes == limits.GetMaxCrashes() {
				break
			}
		}
	}
	return pb.JobOutcome_JOB_OUTCOME_COMPLETED, ""
}

// execute runs the target once. A crash is a signal that it was not sent by us.
func execute(r *run, target string, input []byte) (string, bool, error) {
	seconds := max(r.spec.GetLimits().GetInputTimeoutSeconds(), 1)
	ctx, cancel := context.WithTimeout(r.ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	var printed bytes.Buffer
	command := exec.CommandContext(ctx, target, r.spec.GetArguments()...)
	command.Stdin, command.Stderr, command.Env = bytes.NewReader(input), &printed, []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range r.spec.GetEnvironment() {
		command.Env = append(command.Env, name+"="+value)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if command.ProcessState == nil {
		return "", false, err
	}
	status, _ := command.ProcessState.Sys().(syscall.WaitStatus)
	text := printed.Bytes()
	text = text[max(0, len(text)-65536):]
	// In the words of gdb, which masters read.
	name := unix.SignalName(status.Signal())
	report := fmt.Sprintf("%s\nProgram terminated with signal %s", bytes.ToValidUTF8(text, []byte("?")), name)
	return report, status.Signaled() && ctx.Err() == nil, nil
}

func setting(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func main() {
	host, _ := os.Hostname()
	b, err := newBot(options{
		master: setting("PANDAFUZZ_MASTER", "127.0.0.1:50051"),
		ca:     os.Getenv("PANDAFUZZ_CA"),
		token:  os.Getenv("PANDAFUZZ_TOKEN"),
		folder: filepath.Clean(setting("PANDAFUZZ_BOT_WORK_DIR", "data")),
		name:   setting("PANDAFUZZ_BOT_NAME", host),
		slots:  setting("PANDAFUZZ_BOT_SLOTS", "1"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	b.work(ctx)
}
