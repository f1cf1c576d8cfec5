using System.Globalization;
using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Activity.Tests.Hosting;

/// <summary>A server that speaks S3, somebody else's (npm's s3rver), with one bucket.</summary>
public sealed class S3Server : IAsyncDisposable
{
    private const string Package = "s3rver", Version = "3.7.1", Bucket = "warehouse", Credentials = "S3RVER";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(5);
    private static readonly Lazy<Task<string>> Program = new(InstallAsync);

    private readonly ChildProcess _process;
    private readonly ProcessGuard _guard;
    private readonly Uri _endpoint;

    private S3Server(ChildProcess process, ProcessGuard guard, Uri endpoint) => (_process, _guard, _endpoint) = (process, guard, endpoint);

    /// <summary>How Activity is told of it; credentials are this process's environment.</summary>
    public IEnumerable<(string Name, string Value)> Settings => [("Warehouse:S3:Bucket", Bucket), ("Warehouse:S3:Endpoint", _endpoint.ToString()), ("Warehouse:S3:Prefix", "a shop/")];

    /// <summary>Starts one, whose objects are in a folder.</summary>
    public static async Task<S3Server> StartAsync(string folder)
    {
        var program = await Program.Value;
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", Credentials);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", Credentials);
        var port = Ports.Free();
        var (guard, tail) = (ProcessGuard.Start(folder, null), new LogTail(20));
        var process = ChildProcess.Start(new("node", program, "--directory", folder, "--address", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--configure-bucket", Bucket), folder, tail.Add);
        var endpoint = new Uri($"http://127.0.0.1:{port}");
        try
        {
            await Eventually.BecomesTrueAsync(async () => process.Exited.IsCompleted || !await Connecting.IsRefusedAsync(endpoint, CancellationToken.None), StartDeadline);
            return process.Exited.IsCompleted ? throw new InvalidOperationException($"{Package} did not start:\n{tail}") : new(process, guard, endpoint);
        }
        catch
        {
            await process.DisposeAsync();
            await guard.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(TimeSpan.FromSeconds(5));
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    /// <summary>Beside what was built: where it is already, nothing is asked of the registry.</summary>
    private static async Task<string> InstallAsync()
    {
        var folder = Path.Combine(Repository.Root, "artifacts", Package);
        var program = Path.Combine(folder, "node_modules", Package, "bin", $"{Package}.js");
        if (File.Exists(program))
            return program;
        Directory.CreateDirectory(folder);
        var tail = new LogTail(20);
        await using var npm = ChildProcess.Start(new("npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", $"{Package}@{Version}"), folder, tail.Add);
        return await npm.Exited == 0 ? program : throw new InvalidOperationException($"npm cannot install {Package}:\n{tail}");
    }
}
