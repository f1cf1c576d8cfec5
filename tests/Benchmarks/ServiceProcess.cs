using System.Diagnostics;
using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Benchmarks;

/// <summary>A service as it is run: a process of its own, whose CPU time and memory are its own.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly ProcessGuard _guard;
    private readonly ChildProcess _process;

    private ServiceProcess(ProcessGuard guard, ChildProcess process) => (_guard, _process) = (guard, process);

    /// <summary>CPU time up to now.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            using var process = Process.GetProcessById(_process.Id);
            return process.TotalProcessorTime;
        }
    }

    /// <summary>The most memory that it had at a time.</summary>
    public double PeakMebibytes
    {
        get
        {
            using var process = Process.GetProcessById(_process.Id);
            return process.PeakWorkingSet64 / 1024.0 / 1024.0;
        }
    }

    /// <summary>Starts one that needs its database and Kafka, and returns when it is ready.</summary>
    /// <param name="assembly">The service's assembly, in this directory.</param>
    /// <param name="database">Its database.</param>
    /// <param name="kafka">Bootstrap servers.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It ended, or did not become ready.</exception>
    public static Task<ServiceProcess> StartAsync(string assembly, string database, string kafka, CancellationToken cancellationToken) =>
        StartAsync(assembly, $"http://127.0.0.1:{Ports.Free()}",
        [
            ($"ConnectionStrings__{Path.GetFileNameWithoutExtension(assembly).ToLowerInvariant()}", database), ("ConnectionStrings__kafka", kafka), ("Authentication__SigningKey", TestTokens.SigningKey),
            ("PaymentTokens__PublicKey", TestPaymentKeys.Public),
        ], cancellationToken);

    /// <summary>Starts it, and returns when it is ready.</summary>
    /// <param name="assembly">The service's assembly, in this directory.</param>
    /// <param name="url">Where it listens.</param>
    /// <param name="settings">Its settings, by their names as environment variables.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It ended, or did not become ready.</exception>
    public static async Task<ServiceProcess> StartAsync(string assembly, string url, IEnumerable<(string Name, string Value)> settings, CancellationToken cancellationToken)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-bench-{Guid.CreateVersion7():N}");
        var environment = settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value);
        environment["ASPNETCORE_URLS"] = url;
        environment["DOTNET_ENVIRONMENT"] = "Development";
        environment["Logging__LogLevel__Default"] = "Error";
        var guard = ProcessGuard.Start(owner);
        var started = new ServiceProcess(guard, ChildProcess.Start(new("dotnet", Path.Combine(AppContext.BaseDirectory, assembly)) { Environment = environment }, owner, Report.Progress));
        using var http = new HttpClient { BaseAddress = new(url) };
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromMinutes(1); await Task.Delay(100, cancellationToken))
        {
            try
            {
                using var ready = await http.GetAsync("/health/ready", cancellationToken);
                if (ready.IsSuccessStatusCode)
                    return started;
            }
            catch (HttpRequestException e)
            {
                // or it does not listen yet
                if (started._process.Exited.IsCompleted)
                    throw new InvalidOperationException($"{assembly} has ended", e);
            }
        }
        await started.DisposeAsync();
        throw new InvalidOperationException($"{assembly} did not become ready");
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }
}
