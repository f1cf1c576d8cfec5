using System.Runtime.InteropServices;

namespace Shop.Testing.Processes;

/// <summary>POSIX signals, which <see cref="System.Diagnostics.Process"/> cannot send except for SIGKILL.</summary>
public static class Signals
{
    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGCONT: goes on after <see cref="Stop"/>.</summary>
    public const int Continue = 18;

    /// <summary>SIGSTOP: stands still, as a starved or suspended process does.</summary>
    public const int Stop = 19;

    /// <summary>SIGTERM: the orderly stop of everything else.</summary>
    public const int Terminate = 15;

    /// <summary>Sends a signal; a process that is gone is no error.</summary>
    /// <param name="processId">A process id, or the negative of a process group's id.</param>
    /// <param name="signal">The signal's number.</param>
    /// <returns>Whether there was somebody to receive it.</returns>
    public static bool Send(int processId, int signal) => SendSignal(processId, signal) == 0;

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int sig);
}
