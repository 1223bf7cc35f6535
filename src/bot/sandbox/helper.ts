import type { SystemTools } from './tools.js';

/** Number of prctl, by the name that Node has for a machine. */
const prctlNumbers: Readonly<Record<string, number>> = {
  x64: 157,
  arm64: 167,
  riscv64: 167,
  arm: 172,
  ia32: 172,
  s390x: 172,
  ppc64: 171,
};

/**
 * Runs a command in a process group of its own, passes signals on to it, and ends with its
 * exit code, 128 and the signal where one ended it. It becomes the parent of whatever the
 * command leaves behind, in sessions of their own as well.
 *
 * As "init" it is process 1 of a pid namespace, and what is left ends with it. As "subreaper"
 * it kills what is left itself: when the command has ended, and at SIGQUIT, which comes when
 * the bot dies, too.
 *
 * It looks every quarter of a second besides, as perl begins a wait anew after a signal.
 */
const script = String.raw`
use strict; use POSIX ":sys_wait_h";
my ($mode, $prctl) = splice(@ARGV, 0, 2);
my ($pid, $all, $status, $done) = (0, 0, 0, 0);
if ($mode eq 'subreaper') {
  my $parent = getppid();
  syscall($prctl, 36, 1, 0, 0, 0) == 0 or die "subreaper: $!\n";
  syscall($prctl, 1, 3, 0, 0, 0) == 0 or die "pdeathsig: $!\n";
  exit 125 if getppid() != $parent;
}
for my $name (qw(TERM INT HUP USR1 USR2 ABRT)) {
  $SIG{$name} = sub { kill $name, -$pid if $pid };
}
$SIG{QUIT} = sub { $all = 1 } if $mode ne 'init';
$SIG{CHLD} = sub {};
$pid = fork();
defined $pid or die "fork: $!\n";
if (!$pid) {
  setpgrp(0, 0);
  $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP USR1 USR2 ABRT QUIT CHLD);
  exec {$ARGV[0]} @ARGV or do { print STDERR "$ARGV[0]: $!\n"; POSIX::_exit(127) };
}
sub reap {
  while ((my $gone = waitpid(-1, WNOHANG)) > 0) {
    if ($gone == $pid) { $status = $?; $done = 1 }
  }
}
until ($done || $all) { reap(); select undef, undef, undef, 0.25 unless $done }
sub descendants {
  my (@queue, @found) = ($$);
  while (defined(my $one = shift @queue)) {
    for my $file (glob "/proc/$one/task/*/children") {
      open(my $list, '<', $file) or next;
      my @children = split ' ', (<$list> // '');
      push @queue, @children; push @found, @children;
    }
  }
  return @found;
}
if ($mode ne 'init') {
  for my $round (1 .. 1000) {
    my @left = descendants();
    last if !@left;
    if ($round < 3) { kill 'STOP', @left; @left = descendants() }
    kill 'KILL', @left;
    reap();
    select undef, undef, undef, 0.005;
  }
}
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
`;

/** The command line of the helper, before that of what it runs; undefined where it cannot run. */
export function helper(
  tools: SystemTools,
  mode: 'init' | 'subreaper',
  machine: string = process.arch,
): string[] | undefined {
  const prctl = prctlNumbers[machine];
  if (!tools.perl || prctl === undefined) return undefined;
  return [tools.perl, '-e', script, mode, String(prctl)];
}
