/* What every service of the benches runs: says that it runs, and waits for a signal.
 *
 * One line, in one write, into the fifo ../.announce: the service's name, the nanoseconds of the
 * monotonic clock, the pid. The clock is read first of all, so that whoever reads the fifo may take
 * its time.
 *
 * Without C's library, whose own start takes longer than everything a supervisor does: the cpuid
 * instructions by which it learns the size of caches are slow in virtual machines. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

static long call(long number, long a, long b, long c, long d) {
#if defined __x86_64__
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#elif defined __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
#error "system calls of this processor are not known here"
#endif
}

static char *number(char *end, long value) {
    do *--end = (char)('0' + value % 10);
    while (value /= 10);
    return end;
}

static char *copy(char *to, const char *from, const char *end) {
    while (from < end) *to++ = *from++;
    return to;
}

static void announce(void) {
    struct timespec now;
    char directory[4096], line[512], digits[32];
    char *const digits_end = digits + sizeof digits;
    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0);
    long length = call(SYS_getcwd, (long)directory, sizeof directory, 0, 0) - 1;
    if (length < 1) return;
    const char *name = directory + length;
    while (name[-1] != '/') name--;
    char *at = copy(line, name, directory + length);
    *at++ = ' ';
    at = copy(at, number(digits_end, now.tv_sec * 1000000000L + now.tv_nsec), digits_end);
    *at++ = ' ';
    at = copy(at, number(digits_end, call(SYS_getpid, 0, 0, 0, 0)), digits_end);
    *at++ = '\n';
    long fifo = call(SYS_openat, AT_FDCWD, (long)"../.announce", O_WRONLY | O_CLOEXEC, 0);
    call(SYS_write, fifo, (long)line, at - line, 0);
    call(SYS_close, fifo, 0, 0, 0);
}

#if defined __x86_64__
__attribute__((force_align_arg_pointer))
#endif
void _start(void) {
    announce();
    for (;;) call(SYS_ppoll, 0, 0, 0, 0);
}
