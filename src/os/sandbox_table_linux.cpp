#include "os/sandbox_table_linux.h"

#include <linux/capability.h>
#include <seccomp.h>

#include <array>

namespace mig::os {
namespace {

constexpr int kEveryModule[] = {
    // Its own descriptors: stdin, stdout, and what the rights below let it open. No pwrite, no
    // truncate: there is nothing to write but a stream.
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(dup),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    // Memory. Mapping with PROT_EXEC is a rule of its own (seccomp_linux.cpp).
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // Time.
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(setitimer),
    SCMP_SYS(getitimer),
    // Signals to itself are a rule of their own; handling them is free.
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(pause),
    // Who it is and how it is doing.
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getcpu),
    SCMP_SYS(getcwd),
    // Threads, once made (clone is a rule of its own).
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(membarrier),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // To itself only. The undefined-behaviour sanitizer looks through one whether memory is there.
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
};

// Opening for reading is a rule of its own, because its flags decide.
constexpr int kReadFilesCalls[] = {
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(preadv2),
    // Extended attributes: of a folder's entry, and of what a link points to.
    SCMP_SYS(llistxattr),
    SCMP_SYS(lgetxattr),
    SCMP_SYS(listxattr),
    SCMP_SYS(getxattr),
};

// What a process runs and has open are links below /proc, in folders.
constexpr int kReadProcessesCalls[] = {SCMP_SYS(process_vm_readv), SCMP_SYS(readlink),
                                       SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
                                       SCMP_SYS(newfstatat)};

// Over netlink, whose socket() is a rule of its own.
constexpr int kReadSocketsCalls[] = {SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
                                     SCMP_SYS(getsockname), SCMP_SYS(bind)};

// By a handle alone: kill(2) takes numbers, which may be a stranger's by then.
constexpr int kEndProcessesCalls[] = {SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal)};

// socket() is a rule of its own. No listen, no accept: nothing of ours waits for connections.
constexpr int kNetworkCalls[] = {
    SCMP_SYS(connect),    SCMP_SYS(sendto),      SCMP_SYS(sendmsg),     SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),   SCMP_SYS(recvmsg),     SCMP_SYS(recvmmsg),    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
    SCMP_SYS(bind),  // getifaddrs binds its netlink socket
    SCMP_SYS(newfstatat), SCMP_SYS(stat),        SCMP_SYS(statx),  // the resolver looks whether
                                                                   // files changed
};

constexpr int kDeadly[] = {
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(open_by_handle_at),  // CAP_DAC_READ_SEARCH would make it a way around paths
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(lookup_dcookie),
};

// DAC_READ_SEARCH: read whoever's file, but not write it. Nothing else of root's remains.
constexpr int kReadFilesCapabilities[] = {CAP_DAC_READ_SEARCH};
constexpr int kReadProcessesCapabilities[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
constexpr int kEndProcessesCapabilities[] = {CAP_KILL};
constexpr int kNetworkCapabilities[] = {CAP_NET_RAW};  // ICMP; seccomp keeps other raw sockets shut

constexpr const char* kReadFilesPaths[] = {"/"};
constexpr const char* kReadProcessesPaths[] = {"/proc"};
// What looking up a name reads (resolver(5), nsswitch.conf(5)).
constexpr const char* kNetworkPaths[] = {"/etc/resolv.conf",   "/etc/hosts",    "/etc/host.conf",
                                         "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services",
                                         "/etc/protocols"};

constexpr const char* kReadSocketsPaths[] = {"/proc/net", "/etc/passwd"};

constexpr SandboxRow kTable[] = {
    {Right::kReadFiles, kReadFilesCapabilities, kReadFilesCalls, kReadFilesPaths},
    {Right::kReadProcesses, kReadProcessesCapabilities, kReadProcessesCalls, kReadProcessesPaths},
    {Right::kNetwork, kNetworkCapabilities, kNetworkCalls, kNetworkPaths},
    {Right::kEndProcesses, kEndProcessesCapabilities, kEndProcessesCalls, {}},
    {Right::kReadSockets, {}, kReadSocketsCalls, kReadSocketsPaths},
};

}  // namespace

std::span<const SandboxRow> SandboxTable() { return kTable; }
std::span<const int> SystemCallsOfEveryModule() { return kEveryModule; }
std::span<const int> DeadlySystemCalls() { return kDeadly; }

}  // namespace mig::os
