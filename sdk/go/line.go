package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "pandafuzz/sdk/generated/pandafuzz/v1"
)

const (
	chunkBytes    = 256 * 1024
	welcomeWithin = 10 * time.Second
)

type options struct{ master, ca, token, folder, name, slots string }

// run is one attempt of a job. Its context ends when it is to stop.
type run struct {
	lease      *pb.Lease
	spec       *pb.JobSpec
	known      []string
	ctx        context.Context
	stop       context.CancelCauseFunc
	mutex      sync.Mutex
	phase      pb.LeasePhase
	statistics *pb.JobStatistics
	done       *pb.JobDone
	quietUntil time.Time
}

func (r *run) update(change func(*pb.JobStatistics)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.phase = pb.LeasePhase_LEASE_PHASE_FUZZING
	change(r.statistics)
}

// state is the run as beats name it, and its result once it has ended and is due.
func (r *run) state() (*pb.LeaseStatus, *pb.JobDone) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	statistics := proto.Clone(r.statistics).(*pb.JobStatistics)
	named := &pb.LeaseStatus{Lease: r.lease, Phase: r.phase, Statistics: statistics}
	if r.done == nil || time.Now().Before(r.quietUntil) {
		return named, nil
	}
	return named, r.done
}

// Why a run is stopped, with the outcome that it has then.
type stopped struct{ outcome pb.JobOutcome }

func (s stopped) Error() string {
	return map[pb.JobOutcome]string{
		pb.JobOutcome_JOB_OUTCOME_CANCELLED:      "cancelled",
		pb.JobOutcome_JOB_OUTCOME_INFRASTRUCTURE: "the bot is shut down",
	}[s.outcome]
}

type bot struct {
	options
	slots                    int
	identity, instance, id   string
	bots                     pb.BotServiceClient
	files                    pb.ArtifactServiceClient
	crashes                  pb.CrashServiceClient
	mutex                    sync.Mutex
	runs                     map[string]*run
	out                      chan *pb.HeartbeatRequest // of the stream that there is
	wake                     chan struct{}             // a beat is due at once
	draining, stopping       bool
	interval, reconnectAfter time.Duration
	nextBeat                 time.Time
	unanswered               int
	welcomed, goesAway       bool
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newBot(o options) (*bot, error) {
	slots, err := strconv.Atoi(o.slots)
	if err != nil {
		return nil, fmt.Errorf("PANDAFUZZ_BOT_SLOTS must be a number: %w", err)
	}
	secure := insecure.NewCredentials()
	if o.ca != "" {
		if secure, err = credentials.NewClientTLSFromFile(o.ca, ""); err != nil {
			return nil, err
		}
	}
	connection, err := grpc.NewClient(o.master, grpc.WithTransportCredentials(secure))
	if err != nil {
		return nil, err
	}
	if o.folder, err = filepath.Abs(o.folder); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.folder, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(o.folder, "identity")
	identity, err := os.ReadFile(path)
	if err != nil {
		identity = []byte(newID())
		if err := os.WriteFile(path, identity, 0o600); err != nil {
			return nil, err
		}
	}
	return &bot{options: o, slots: slots, identity: string(identity), instance: newID(),
		bots: pb.NewBotServiceClient(connection), files: pb.NewArtifactServiceClient(connection),
		crashes: pb.NewCrashServiceClient(connection), runs: map[string]*run{}, wake: make(chan struct{}, 1)}, nil
}

func (b *bot) caller(ctx context.Context) context.Context {
	if b.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+b.token)
}

func (b *bot) free() uint32 {
	if b.draining || b.stopping {
		return 0
	}
	return uint32(max(b.slots-len(b.runs), 0))
}

// say sends a message on the stream that there is. What is lost with it is said again on the next one.
func (b *bot) say(message *pb.HeartbeatRequest) {
	select {
	case b.out <- message:
	default:
	}
}

func (b *bot) beatNow() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// beat is the next beat, and the results that are not acknowledged.
func (b *bot) beat(sequence uint64) []*pb.HeartbeatRequest {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	beat := &pb.Beat{Sequence: sequence, FreeSlots: b.free()}
	messages := []*pb.HeartbeatRequest{{Message: &pb.HeartbeatRequest_Beat{Beat: beat}}}
	for _, r := range b.runs {
		named, done := r.state()
		beat.Leases = append(beat.Leases, named)
		if done != nil {
			messages = append(messages, &pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_JobDone{JobDone: done}})
		}
	}
	b.nextBeat = time.Now().Add(min(b.interval, 5*time.Second))
	b.unanswered++
	return messages
}

type heartbeat = grpc.BidiStreamingClient[pb.HeartbeatRequest, pb.HeartbeatResponse]

// isDead is whether the master left Hello or the last beats unanswered.
func (b *bot) isDead(opened time.Time) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.unanswered >= 3 || !b.welcomed && time.Since(opened) > welcomeWithin
}

// write sends what is said, and beats when they are due, until the stream ends.
func (b *bot) write(stream heartbeat, out <-chan *pb.HeartbeatRequest, giveUp context.CancelFunc) {
	defer func() { _ = stream.CloseSend() }()
	sequence, opened := uint64(0), time.Now()
	for {
		b.mutex.Lock()
		wait, welcomed := time.Until(b.nextBeat), b.welcomed
		b.mutex.Unlock()
		if !welcomed {
			wait = time.Until(opened.Add(welcomeWithin))
		}
		var messages []*pb.HeartbeatRequest
		select {
		case message := <-out:
			if message == nil {
				return
			}
			messages = append(messages, message)
		case <-b.wake:
		case <-time.After(wait):
		case <-stream.Context().Done():
			return
		}
		if messages == nil {
			if b.isDead(opened) {
				giveUp()
				return
			}
			if !welcomed {
				continue
			}
			sequence++
			messages = b.beat(sequence)
		}
		for _, message := range messages {
			if stream.Send(message) != nil {
				return
			}
		}
	}
}

// hold is one stream, to its end. It returns the status that ended it.
func (b *bot) hold(ctx context.Context) error {
	ctx, giveUp := context.WithCancel(b.caller(ctx))
	defer giveUp()
	stream, err := b.bots.Heartbeat(ctx, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	b.mutex.Lock()
	b.out, b.welcomed, b.goesAway, b.unanswered = make(chan *pb.HeartbeatRequest, 4096), false, false, 0
	hello := &pb.Hello{BotId: b.id, InstanceId: b.instance, FreeSlots: b.free()}
	for _, r := range b.runs {
		hello.Leases = append(hello.Leases, r.lease)
	}
	out := b.out
	b.mutex.Unlock()
	if err := stream.Send(&pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_Hello{Hello: hello}}); err == nil {
		go b.write(stream, out, giveUp)
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		b.mutex.Lock()
		b.hear(response)
		b.mutex.Unlock()
	}
}

func (b *bot) hear(response *pb.HeartbeatResponse) {
	switch message := response.GetMessage().(type) {
	case *pb.HeartbeatResponse_Welcome:
		b.welcomed, b.interval = true, time.Duration(message.Welcome.GetHeartbeatIntervalMs())*time.Millisecond
		for _, lease := range message.Welcome.GetLeases() {
			b.settle(lease.GetLease(), lease.GetKeep(), lease.GetCancelRequested())
		}
		b.beatNow()
	case *pb.HeartbeatResponse_BeatAck:
		b.unanswered = 0
		b.nextBeat = time.Now().Add(time.Duration(message.BeatAck.GetNextBeatInMs()) * time.Millisecond)
		for _, lease := range message.BeatAck.GetLeases() {
			b.settle(lease.GetLease(), lease.GetRemainingTtlMs() > 0, lease.GetCancelRequested())
		}
	case *pb.HeartbeatResponse_Assign:
		b.assign(message.Assign.GetAssignment())
	case *pb.HeartbeatResponse_Cancel:
		b.settle(message.Cancel.GetLease(), true, true)
	case *pb.HeartbeatResponse_Drain:
		b.draining = true
		b.say(&pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_DrainAck{DrainAck: &pb.DrainAck{}}})
		b.beatNow()
	case *pb.HeartbeatResponse_Resume:
		b.draining = false
		b.beatNow()
	case *pb.HeartbeatResponse_JobDoneAck:
		r := b.runs[message.JobDoneAck.GetLease().GetJobId()]
		if wait := message.JobDoneAck.GetRefusal().GetRetryAfterMs(); wait > 0 && r != nil {
			r.mutex.Lock()
			r.quietUntil = time.Now().Add(time.Duration(wait) * time.Millisecond)
			r.mutex.Unlock()
		} else {
			b.settle(message.JobDoneAck.GetLease(), false, false)
		}
	case *pb.HeartbeatResponse_GoAway:
		b.goesAway = true
		b.reconnectAfter = time.Duration(message.GoAway.GetReconnectAfterMs()) * time.Millisecond
		b.say(nil)
	}
}

// settle does what the master says about a lease: nothing, stop the run, or forget it.
func (b *bot) settle(lease *pb.Lease, isValid, cancelled bool) {
	r := b.runs[lease.GetJobId()]
	if r == nil || r.lease.GetFence() != lease.GetFence() {
		return
	}
	if !isValid {
		delete(b.runs, lease.GetJobId())
		b.beatNow()
	} else if cancelled {
		b.say(&pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_CancelAck{CancelAck: &pb.CancelAck{Lease: lease}}})
	}
	if !isValid || cancelled {
		r.stop(stopped{pb.JobOutcome_JOB_OUTCOME_CANCELLED})
	}
}

func (b *bot) assign(assignment *pb.Assignment) {
	lease, spec := assignment.GetLease(), assignment.GetSpec()
	if spec.GetEngine() != engine || spec.GetKind() != pb.JobKind_JOB_KIND_UNSPECIFIED {
		reject := &pb.LeaseReject{Lease: lease, Reason: "this bot fuzzes with the engine stdin alone"}
		b.say(&pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_LeaseReject{LeaseReject: reject}})
		return
	}
	if b.free() == 0 {
		return
	}
	ctx, stop := context.WithCancelCause(context.Background())
	r := &run{lease: lease, spec: spec, known: assignment.GetEarlier().GetCrashInputs(), ctx: ctx, stop: stop,
		phase: pb.LeasePhase_LEASE_PHASE_PREPARING, statistics: &pb.JobStatistics{EngineStarts: 1}}
	b.runs[lease.GetJobId()] = r
	b.say(&pb.HeartbeatRequest{Message: &pb.HeartbeatRequest_LeaseAck{LeaseAck: &pb.LeaseAck{Lease: lease}}})
	b.beatNow()
	go b.attempt(r)
}

func (b *bot) attempt(r *run) {
	outcome, message := b.fuzz(r)
	if why, ok := context.Cause(r.ctx).(stopped); ok {
		outcome, message = why.outcome, why.Error()
	}
	r.mutex.Lock()
	r.phase = pb.LeasePhase_LEASE_PHASE_FINISHING
	result := &pb.JobResult{Outcome: outcome, Message: message, Statistics: proto.Clone(r.statistics).(*pb.JobStatistics)}
	r.done = &pb.JobDone{Lease: r.lease, Result: result}
	r.mutex.Unlock()
	b.beatNow()
}

// retry repeats a call that fails in passing, until the context ends.
func retry(ctx context.Context, call func() error) error {
	for {
		err := call()
		switch status.Code(err) {
		case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted:
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// artifact returns the path of an artifact, as an executable file.
func (b *bot) artifact(ctx context.Context, digest string) (string, error) {
	var data []byte
	err := retry(ctx, func() error {
		request := &pb.DownloadArtifactRequest{Sha256: digest, OffsetBytes: uint64(len(data))}
		stream, err := b.files.DownloadArtifact(b.caller(ctx), request)
		for err == nil {
			var part *pb.DownloadArtifactResponse
			if part, err = stream.Recv(); err == nil {
				data = append(data, part.GetChunk()...)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
		return "", fmt.Errorf("it is not what its SHA-256 says")
	}
	path := filepath.Join(b.folder, digest)
	part := path + "." + newID()
	if err := os.WriteFile(part, data, 0o700); err != nil {
		return "", err
	}
	return path, os.Rename(part, path)
}

// report stores a crash with the master. It goes on while the run is cancelled: what was found counts.
func (b *bot) report(r *run, input []byte, digest, text string) error {
	ctx := b.caller(context.Background())
	return retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		stream, err := b.crashes.ReportCrash(ctx)
		if err != nil {
			return err
		}
		report := &pb.CrashReport{Lease: r.lease, InputSha256: digest, InputSizeBytes: uint64(len(input)),
			Report: strings.ToValidUTF8(text, "?"), Hits: 1}
		_ = stream.Send(&pb.ReportCrashRequest{Message: &pb.ReportCrashRequest_Report{Report: report}})
		for at := 0; at < len(input); at += chunkBytes {
			chunk := input[at:min(at+chunkBytes, len(input))]
			_ = stream.Send(&pb.ReportCrashRequest{Message: &pb.ReportCrashRequest_Chunk{Chunk: chunk}})
		}
		_, err = stream.CloseAndRecv() // has the status, whichever Send failed
		return err
	})
}

func (b *bot) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(b.caller(ctx), 10*time.Second)
	defer cancel()
	answer, err := b.bots.RegisterBot(ctx, &pb.RegisterBotRequest{Name: b.name, Engines: []string{engine},
		Slots: uint32(b.slots), Version: "sdk-go", Identity: &b.identity, InstanceId: &b.instance})
	b.id = answer.GetBot().GetId()
	return err
}

// work holds one stream after another, until ctx ends; then runs end as INFRASTRUCTURE, within 3 s.
func (b *bot) work(ctx context.Context) {
	streams, end := context.WithCancel(context.Background())
	go func() {
		<-ctx.Done()
		defer end()
		b.mutex.Lock()
		b.stopping = true
		for _, r := range b.runs {
			r.stop(stopped{pb.JobOutcome_JOB_OUTCOME_INFRASTRUCTURE})
		}
		b.mutex.Unlock()
		for left := 60; left > 0; left-- {
			b.mutex.Lock()
			count := len(b.runs)
			b.mutex.Unlock()
			if count == 0 {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	for failures := 0; streams.Err() == nil; failures++ {
		var err error
		if b.id == "" {
			err = b.register(streams)
		}
		b.welcomed, b.goesAway = false, false
		if err == nil {
			err = b.hold(streams)
		}
		if b.welcomed {
			failures = 0
		}
		wait := time.Duration(mathrand.Float64() * float64(min(5*time.Second, 250*time.Millisecond<<min(failures, 10))))
		switch code := status.Code(err); {
		case b.goesAway:
			wait = b.reconnectAfter + time.Duration(mathrand.Float64()*float64(time.Second))
		case code == codes.NotFound:
			b.id = ""
		case code == codes.FailedPrecondition:
			b.id = ""
			fallthrough
		case code == codes.Aborted:
			wait = 5*time.Second + time.Duration(mathrand.Float64()*float64(10*time.Second))
		}
		log.Printf("no stream: %v", err)
		select {
		case <-streams.Done():
		case <-time.After(wait):
		}
	}
}
