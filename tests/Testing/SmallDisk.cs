using System.Diagnostics;

namespace Shop.Testing;

/// <summary>A small file system of its own at a directory, to be filled up.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _directory;
    private FileStream? _filler;

    private SmallDisk(string directory) => _directory = directory;

    private string Filler => Path.Combine(_directory, "filler");

    /// <summary>Mounts one at <paramref name="directory"/>; skips the test where that is not allowed.</summary>
    /// <param name="directory">An empty directory.</param>
    /// <param name="size">As tmpfs takes it, such as <c>4m</c>.</param>
    public static async Task<SmallDisk> MountAsync(string directory, string size)
    {
        Xunit.Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", directory), "mounting a small file system needs root");
        return new(directory);
    }

    /// <summary>Takes every byte that is left.</summary>
    public void Fill()
    {
        _filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        foreach (var part in new[] { 65_536, 4_096, 1 })
        {
            try
            {
                while (true)
                    _filler.Write(new byte[part]);
            }
            catch (IOException)
            {
                // no room for as much
            }
        }
    }

    /// <summary>Takes some bytes.</summary>
    public Task TakeAsync(int bytes) => File.WriteAllBytesAsync(Filler, new byte[bytes], Xunit.TestContext.Current.CancellationToken);

    /// <summary>Gives back what was taken.</summary>
    public async Task MakeRoomAsync()
    {
        if (_filler is not null)
            await _filler.DisposeAsync();
        File.Delete(Filler);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_filler is not null)
            await _filler.DisposeAsync();
        // lazily: a process that another test has just started may not have closed yet what it inherited
        await RunAsync("umount", "--lazy", _directory);
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
