using System.Net.Http.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Shop.AppHost.Running;
using Shop.Testing.Processes;

namespace Shop.Payments.Tests;

/// <summary>The real payment provider, in this process or as one of its own, on a port that is known before it is up.</summary>
public sealed class TestProvider : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shop-provider-");
    private readonly int _port = Ports.Free();
    private ProviderInstance? _instance;
    private (ProcessGuard Guard, ChildProcess Process)? _process;
    private HttpClient? _client;

    public string Address => $"http://127.0.0.1:{_port}";

    public void Start()
    {
        _instance = new(_directory.FullName, Address);
        _instance.UseKestrel();
        _instance.StartServer();
        _client = new() { BaseAddress = new(Address) };
    }

    /// <summary>Starts it again with an empty ledger.</summary>
    public async Task ForgetAsync()
    {
        await _instance!.DisposeAsync();
        _client!.Dispose();
        foreach (var file in _directory.GetFiles())
            file.Delete();
        Start();
    }

    /// <summary>Starts it again without the last entry of its ledger.</summary>
    public async Task ForgetLastAsync()
    {
        await _instance!.DisposeAsync();
        _client!.Dispose();
        var ledger = _directory.GetFiles().Single().FullName;
        var entries = await File.ReadAllLinesAsync(ledger, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(ledger, entries[..^1], TestContext.Current.CancellationToken);
        Start();
    }

    /// <summary>Starts it as a process of its own, that can be killed as a crash does it.</summary>
    /// <param name="faults">Its settings of the section <c>Faults</c>.</param>
    public void StartProcess(params (string Name, string Value)[] faults)
    {
        var owner = Path.Combine(Path.GetTempPath(), $"shop-provider-{Guid.CreateVersion7():N}");
        var environment = faults.ToDictionary(fault => $"Faults__{fault.Name}", fault => (string?)fault.Value);
        environment["ASPNETCORE_URLS"] = Address;
        environment["DOTNET_ENVIRONMENT"] = "Development";
        environment["Logging__LogLevel__Default"] = "Error";
        environment["Ledger__Directory"] = _directory.FullName;
        var guard = ProcessGuard.Start(owner);
        _process = (guard, ChildProcess.Start(new("dotnet", Path.Combine(AppContext.BaseDirectory, "PaymentProvider.dll")) { Environment = environment }, owner, Console.WriteLine));
        _client ??= new() { BaseAddress = new(Address) };
    }

    /// <summary>Ends the process with SIGKILL.</summary>
    public async Task KillAsync()
    {
        var (guard, process) = _process!.Value;
        _process = null;
        process.Kill();
        await process.Exited;
        await process.DisposeAsync();
        await guard.DisposeAsync();
    }

    /// <summary>Has every authorisation's answer take so long at least, counted from its decision.</summary>
    public async Task SlowDownAsync(int seconds)
    {
        using var answer = await _client!.PutAsJsonAsync("v1/pace", new { answerDelaySeconds = seconds }, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The ledger's kinds of entries of each payment, in their order, joined by commas.</summary>
    public async Task<Dictionary<Guid, string>> LedgerAsync()
    {
        var page = await _client!.GetFromJsonAsync<LedgerAnswer>("v1/ledger?limit=10000", TestContext.Current.CancellationToken);
        Assert.Null(page!.Next);
        return page.Items.GroupBy(entry => entry.PaymentId).ToDictionary(entries => entries.Key, entries => string.Join(',', entries.Select(entry => entry.Kind)));
    }

    /// <summary>The ledger's kinds of entries of one payment; empty where it knows nothing of it.</summary>
    public async Task<string> LedgerOfAsync(Guid paymentId) => (await LedgerAsync()).GetValueOrDefault(paymentId, "");

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_process is not null)
            await KillAsync();
        if (_instance is not null)
            await _instance.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private sealed record LedgerAnswer(IReadOnlyList<Entry> Items, long? Next);

    private sealed record Entry(Guid PaymentId, string Kind);

    private sealed class ProviderInstance(string directory, string address) : WebApplicationFactory<PaymentProvider.PaymentRequest>
    {
        // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
        protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseSetting("urls", address).UseSetting("Ledger:Directory", directory);
    }
}
