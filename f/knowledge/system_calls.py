"""Leave this process only the system calls that a reader of bytes needs, until it ends.

A Linux seccomp filter; it takes no rights to set one, so it works in a container too. What is not
in the list fails with EPERM: sockets, files, new programs and processes, signals to others.
"""

import ctypes
import platform
import struct

# In both: read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
# rt_sigreturn readv writev sched_yield mremap madvise nanosleep getpid exit exit_group getrusage
# sysinfo times gettimeofday sigaltstack gettid futex clock_gettime clock_getres clock_nanosleep
# getrandom membarrier rseq restart_syscall sched_getaffinity
X86_64 = (
    *(0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 24, 25, 28, 35, 39, 60, 231, 98, 99, 100),
    *(96, 131, 186, 202, 228, 229, 230, 318, 324, 334, 219, 204),
)
AARCH64 = (
    *(63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 65, 66, 124, 216, 233, 101, 172, 93),
    *(94, 165, 179, 153, 169, 132, 178, 98, 113, 114, 115, 278, 283, 293, 128, 123),
)
# linux/audit.h
ARCHITECTURES = {"x86_64": (0xC000003E, X86_64), "aarch64": (0xC00000B7, AARCH64)}

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000
NUMBER_OFFSET, ARCHITECTURE_OFFSET = 0, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def restrict() -> bool:
    """False where this cannot be done: another system or processor, or a kernel without it."""
    if platform.system() != "Linux" or platform.machine() not in ARCHITECTURES:
        return False
    code = instructions(*ARCHITECTURES[platform.machine()])
    buffer = ctypes.create_string_buffer(code)
    program = Program(len(code) // 8, ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None).prctl
    return (
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0
    )


def instructions(architecture: int, allowed: tuple[int, ...]) -> bytes:
    jumps = [
        (JUMP_IF_EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)
    ]
    steps = [
        (LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET),
        (JUMP_IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD_WORD, 0, 0, NUMBER_OFFSET),
        *jumps,
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
