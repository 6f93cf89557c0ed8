/* The least that starting many services can cost: for every directory below argv[1] one vfork, one
 * chdir, one exec of ./run; and the same again for a service that died. No supervision, no files. On
 * SIGTERM it takes its children along. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 65536 };

static struct { pid_t pid; char *name; } services[MOST];
static volatile sig_atomic_t over;
static sigset_t none;

static void note(int number) { over |= number == SIGTERM; }

static int start(size_t which, char **envp) {
    char *run[] = {"./run", NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (!chdir(services[which].name)) execve(run[0], run, envp);
        _exit(127);
    }
    services[which].pid = pid;
    return pid > 0;
}

int main(int argc, char **argv, char **envp) {
    size_t count = 0;
    sigset_t ours;
    if (argc != 2 || chdir(argv[1])) return 100;
    sigemptyset(&none);
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    signal(SIGTERM, note);
    signal(SIGCHLD, note);
    DIR *scan = opendir(".");
    for (struct dirent *entry; scan && (entry = readdir(scan));) {
        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR) continue;
        if (count == MOST) return 111;
        services[count].name = strdup(entry->d_name);
        if (!start(count++, envp)) return 111;
    }
    while (!over) {
        sigsuspend(&none);
        for (pid_t pid; !over && (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
            for (size_t i = 0; i < count; i++)
                if (services[i].pid == pid && !start(i, envp)) return 111;
    }
    for (size_t i = 0; i < count; i++) kill(services[i].pid, SIGTERM);
    while (wait(NULL) > 0) {}
    return 0;
}
