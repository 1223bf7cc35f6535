"""A PandaFuzz bot: docs/protocol.md in Python, with a fuzzing engine of a few lines.

The engine "stdin" runs the target with an input on its standard input. A signal that ends the
target is a crash. Settings come from the environment; README.md lists them.
"""

import hashlib, os, queue, random, signal, socket, subprocess, sys, threading, time, uuid
from pathlib import Path

import grpc
from pandafuzz.v1 import artifact_service_pb2 as artifacts, artifact_service_pb2_grpc
from pandafuzz.v1 import bot_service_pb2 as bots, bot_service_pb2_grpc
from pandafuzz.v1 import crash_service_pb2 as crashes, crash_service_pb2_grpc
from pandafuzz.v1 import heartbeat_pb2 as line, job_pb2 as jobs

ENGINE, CHUNK = "stdin", 256 * 1024
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
           grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}


class Run(threading.Thread):
    """One attempt of a job. It ends with a result, unless its lease was lost."""

    def __init__(self, bot, assignment):
        super().__init__(daemon=True)
        self.bot, self.lease, self.spec = bot, assignment.lease, assignment.spec
        self.known = set(assignment.earlier.crash_inputs)
        self.phase, self.statistics = line.LEASE_PHASE_PREPARING, jobs.JobStatistics(engine_starts=1)
        self.stopped = None  # or the outcome it is stopped with
        self.done, self.quiet_until = None, 0

    def run(self):
        try:
            outcome, message = self.fuzz()
        except (grpc.RpcError, OSError, ValueError) as error:
            outcome, message = self.stopped or (jobs.JOB_OUTCOME_INFRASTRUCTURE, str(error)[:1000])
        self.phase = line.LEASE_PHASE_FINISHING
        result = jobs.JobResult(outcome=outcome, message=message, statistics=self.statistics)
        self.done = line.HeartbeatRequest(job_done=line.JobDone(lease=self.lease, result=result))
        self.bot.say(self.done)

    def fuzz(self):
        target = self.bot.artifact(self.spec.target_sha256, self)
        self.phase, found, began = line.LEASE_PHASE_FUZZING, set(), time.monotonic()
        limits = self.spec.limits
        while not self.stopped and time.monotonic() - began < limits.max_duration_seconds:
            data = random.randbytes(random.randint(1, min(64, limits.max_input_bytes or 64)))
            crash = self.execute(target, data)
            self.statistics.executions += 1
            self.statistics.elapsed_ms = int((time.monotonic() - began) * 1000)
            if crash:
                self.statistics.crash_hits += 1
                digest = hashlib.sha256(data).hexdigest()
                if digest not in self.known | found:
                    self.bot.report(self, data, digest, crash)
                    found.add(digest)
                    self.statistics.crash_inputs_kept += 1
                if 0 < limits.max_crashes <= len(found):
                    break
        return self.stopped or (jobs.JOB_OUTCOME_COMPLETED, "")

    def execute(self, target, data):
        """Returns the report of a crash, or None."""
        process = subprocess.Popen(
            [target, *self.spec.arguments], env=dict(self.spec.environment), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + (self.spec.limits.input_timeout_seconds or 25)
        printed = None
        while printed is None:
            try:
                printed = process.communicate(data, timeout=0.1)[1]
            except subprocess.TimeoutExpired:
                data = None  # it is on its way; a second time is an error
                if self.stopped or time.monotonic() > end:
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode >= 0 or self.stopped:
            return None
        name = signal.Signals(-process.returncode).name  # in the words of gdb, which masters read
        return f"{printed[-65536:].decode(errors='replace')}\nProgram terminated with signal {name}"


class Bot:
    def __init__(self):
        address = os.environ.get("PANDAFUZZ_MASTER", "127.0.0.1:50051")
        ca = os.environ.get("PANDAFUZZ_CA")
        credentials = ca and grpc.ssl_channel_credentials(Path(ca).read_bytes())
        channel = grpc.secure_channel(address, credentials) if ca else grpc.insecure_channel(address)
        token = os.environ.get("PANDAFUZZ_TOKEN")
        self.caller = [("authorization", f"Bearer {token}")] if token else []
        self.bots = bot_service_pb2_grpc.BotServiceStub(channel)
        self.files = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
        self.crashes = crash_service_pb2_grpc.CrashServiceStub(channel)
        self.folder = Path(os.environ.get("PANDAFUZZ_BOT_WORK_DIR", "data")).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = self.folder / "identity"
        if not identity.exists():
            identity.write_text(str(uuid.uuid4()))
        self.slots = int(os.environ.get("PANDAFUZZ_BOT_SLOTS", "1"))
        self.name = os.environ.get("PANDAFUZZ_BOT_NAME", socket.gethostname())
        self.identity, self.instance = identity.read_text(), str(uuid.uuid4())
        self.bot_id, self.runs, self.lock = "", {}, threading.RLock()
        self.out, self.draining, self.stopping = queue.Queue(), False, False

    # What the bot says.

    def say(self, message):
        self.out.put(message)

    def free(self):
        closed = self.draining or self.stopping
        return 0 if closed else max(self.slots - len(self.runs), 0)

    def requests(self, out, call):
        """Messages of one stream: Hello, then beats when they are due, and what say() was given."""
        with self.lock:
            leases = [run.lease for run in self.runs.values()]
        yield line.HeartbeatRequest(hello=line.Hello(
            bot_id=self.bot_id, instance_id=self.instance, free_slots=self.free(), leases=leases))
        sequence = 0
        while True:
            try:
                message = out.get(timeout=max(self.beat_at - time.monotonic(), 0))
                if message is None:
                    return
                if message != "beat":
                    yield message
                    continue
            except queue.Empty:
                pass
            if self.unanswered >= 3:
                call[0].cancel()
                return
            self.unanswered, sequence = self.unanswered + 1, sequence + 1
            self.beat_at = time.monotonic() + min(self.interval, 5)
            with self.lock:
                runs = list(self.runs.values())
            statuses = [line.LeaseStatus(lease=run.lease, phase=run.phase, statistics=run.statistics) for run in runs]
            yield line.HeartbeatRequest(beat=line.Beat(sequence=sequence, free_slots=self.free(), leases=statuses))
            for run in runs:
                if run.done and time.monotonic() >= run.quiet_until:
                    yield run.done

    def artifact(self, sha256, run):
        data = b""
        while not run.stopped:
            try:
                request = artifacts.DownloadArtifactRequest(sha256=sha256, offset_bytes=len(data))
                for part in self.files.DownloadArtifact(request, metadata=self.caller):
                    data += part.chunk
                break
            except grpc.RpcError as error:
                if error.code() not in PASSING:
                    raise
                time.sleep(0.25)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError("the target is not what its SHA-256 says")
        path = self.folder / sha256
        if not path.exists():
            part = self.folder / f"{sha256}.{uuid.uuid4()}"
            part.write_bytes(data)
            part.chmod(0o700)
            part.rename(path)
        return str(path)

    def report(self, run, data, digest, text):
        report = crashes.CrashReport(lease=run.lease, input_sha256=digest, input_size_bytes=len(data), report=text, hits=1)
        messages = [crashes.ReportCrashRequest(report=report)]
        messages += [crashes.ReportCrashRequest(chunk=data[at:at + CHUNK]) for at in range(0, len(data), CHUNK)]
        while self.runs.get(run.lease.job_id) is run:
            try:
                self.crashes.ReportCrash(iter(messages), metadata=self.caller, timeout=60)
                return
            except grpc.RpcError as error:
                if error.code() not in PASSING:
                    raise
                time.sleep(0.25)

    # What the master says.

    def drop(self, lease):
        with self.lock:
            run = self.runs.get(lease.job_id)
            if run and run.lease.fence == lease.fence:
                run.stopped = run.stopped or (jobs.JOB_OUTCOME_CANCELLED, "the lease is lost")
                del self.runs[lease.job_id]

    def cancel(self, lease):
        run = self.runs.get(lease.job_id)
        if run and run.lease.fence == lease.fence:
            run.stopped = run.stopped or (jobs.JOB_OUTCOME_CANCELLED, "cancelled")
            self.say(line.HeartbeatRequest(cancel_ack=line.CancelAck(lease=lease)))

    def assign(self, assignment):
        lease, spec = assignment.lease, assignment.spec
        if spec.engine != ENGINE or spec.kind != jobs.JOB_KIND_UNSPECIFIED:
            reject = line.LeaseReject(lease=lease, reason="this bot fuzzes with the engine stdin alone")
            self.say(line.HeartbeatRequest(lease_reject=reject))
        elif self.free() > 0:
            with self.lock:
                run = self.runs[lease.job_id] = Run(self, assignment)
            self.say(line.HeartbeatRequest(lease_ack=line.LeaseAck(lease=lease)))
            run.start()

    def hear(self, response):
        kind = response.WhichOneof("message")
        message = kind and getattr(response, kind)
        if kind == "welcome":
            self.interval = message.heartbeat_interval_ms / 1000
            for lease in message.leases:
                if not lease.keep:
                    self.drop(lease.lease)
                elif lease.cancel_requested:
                    self.cancel(lease.lease)
            self.beat_at = 0
            self.say("beat")
        elif kind == "beat_ack":
            self.unanswered = 0
            self.beat_at = time.monotonic() + (message.next_beat_in_ms / 1000 or self.interval)
            for lease in message.leases:
                if lease.remaining_ttl_ms == 0:
                    self.drop(lease.lease)
                elif lease.cancel_requested:
                    self.cancel(lease.lease)
        elif kind == "assign":
            self.assign(message.assignment)
        elif kind == "cancel":
            self.cancel(message.lease)
        elif kind in ("drain", "resume"):
            self.draining = kind == "drain"
            if self.draining:
                self.say(line.HeartbeatRequest(drain_ack=line.DrainAck()))
            self.say("beat")
        elif kind == "job_done_ack":
            run = self.runs.get(message.lease.job_id)
            if run and message.refusal.retry_after_ms:
                run.quiet_until = time.monotonic() + message.refusal.retry_after_ms / 1000
            else:
                self.drop(message.lease)
                self.say("beat")
        elif kind == "go_away":
            self.pause = message.reconnect_after_ms / 1000 + random.random()
            self.say(None)

    def hold(self):
        """One stream, to its end. Returns the status that ended it, and whether Welcome came."""
        self.out, self.pause, self.unanswered, welcomed = queue.Queue(), None, 0, False
        self.interval, self.beat_at, call, out = 5, time.monotonic() + 3600, [], self.out
        call.append(self.bots.Heartbeat(self.requests(out, call), metadata=self.caller, wait_for_ready=True))
        late = threading.Timer(10, call[0].cancel)
        late.start()
        try:
            for response in call[0]:
                late.cancel()
                welcomed = True
                self.hear(response)
            return grpc.StatusCode.OK, welcomed
        except grpc.RpcError as error:
            print("stream ended:", error.code().name, error.details(), file=sys.stderr)
            return error.code(), welcomed
        finally:
            late.cancel()
            out.put(None)

    def work(self):
        failures = 0
        while not self.stopping:
            code = None
            try:
                if not self.bot_id:
                    request = bots.RegisterBotRequest(
                        name=self.name, engines=[ENGINE], slots=self.slots, version="sdk-python",
                        identity=self.identity, instance_id=self.instance)
                    self.bot_id = self.bots.RegisterBot(request, metadata=self.caller, timeout=10).bot.id
                code, welcomed = self.hold()
                failures = 0 if welcomed else failures + 1
            except grpc.RpcError as error:
                print("not registered:", error.details(), file=sys.stderr)
                failures, self.pause = failures + 1, None
            if code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION):
                self.bot_id = ""
            pause = min(5, 0.25 * 2 ** min(failures, 10)) * random.random()
            if code in (grpc.StatusCode.ABORTED, grpc.StatusCode.FAILED_PRECONDITION):
                pause = random.uniform(5, 15)
            time.sleep(self.pause if self.pause is not None else pause)

    def stop(self, *_):
        """Ends within 3 s: runs end as INFRASTRUCTURE, and go to other bots."""
        self.stopping = True
        for run in list(self.runs.values()):
            run.stopped = run.stopped or (jobs.JOB_OUTCOME_INFRASTRUCTURE, "the bot is shut down")

        def leave():
            end = time.monotonic() + 3
            while self.runs and time.monotonic() < end:
                time.sleep(0.05)
            os._exit(0)
        threading.Thread(target=leave).start()


if __name__ == "__main__":
    bot = Bot()
    signal.signal(signal.SIGTERM, bot.stop)
    signal.signal(signal.SIGINT, bot.stop)
    bot.work()
