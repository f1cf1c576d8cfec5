using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Shop.Testing.Processes;

namespace Shop.PaymentProvider.Tests;

/// <summary>The provider as it is run: a process of its own, on a port of its own, with a ledger of its own.</summary>
public sealed class Provider : IAsyncLifetime
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shop-provider-");
    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    public HttpClient Client { get; private set; } = new();

    /// <summary>What the process has written to its console since it was started.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>How long it goes on serving after it was told to stop.</summary>
    public TimeSpan DrainingDelay { get; init; }

    public string LedgerFile => Path.Combine(_directory.FullName, "ledger.jsonl");

    public async ValueTask InitializeAsync() => await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _directory.Delete(recursive: true);
    }

    /// <summary>Starts it and waits until it listens.</summary>
    public async Task StartAsync()
    {
        var start = Command();
        _process = Process.Start(start)!;
        var address = await AddressAsync(_process).WaitAsync(StartDeadline, TestContext.Current.CancellationToken);
        Client = new HttpClient { BaseAddress = new Uri(address) };
    }

    /// <summary>Ends it with SIGKILL, as a crash does.</summary>
    public async Task KillAsync()
    {
        Client.Dispose();
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Tells it to stop, with SIGTERM.</summary>
    /// <returns>Its exit code, once it has ended.</returns>
    public async Task<int> TerminateAsync()
    {
        Signals.Send(_process!.Id, Signals.Terminate);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Starts it where it must refuse to.</summary>
    /// <returns>What it said.</returns>
    public async Task<(int ExitCode, string Output)> RunToEndAsync()
    {
        using var process = Process.Start(Command())!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)
                .WaitAsync(StartDeadline, TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    public Task<HttpResponseMessage> AuthorizeAsync(Guid id, string token) =>
        AuthorizeUntilAsync(id, token, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> AuthorizeUntilAsync(Guid id, string token, CancellationToken cancellation) =>
        SendAsync(id, new { amount = 12.50m, currency = "EUR", token, reference = $"order of {id}" }, cancellation);

    public Task<HttpResponseMessage> AuthorizeAsync(Guid id, object body) => SendAsync(id, body, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> PostAsync(Guid id, string action) =>
        Client.PostAsync($"/v1/payments/{id}/{action}", null, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> GetAsync(Guid id) =>
        Client.GetAsync($"/v1/payments/{id}", TestContext.Current.CancellationToken);

    /// <summary>The ledger's entries of one payment, as <c>authorized</c>, <c>captured</c>, ...</summary>
    public async Task<IReadOnlyList<string>> LedgerOfAsync(Guid id) =>
        [.. (await LedgerAsync()).Where(entry => entry.PaymentId == id).Select(entry => entry.Kind)];

    public async Task<IReadOnlyList<Entry>> LedgerAsync()
    {
        var entries = new List<Entry>();
        for (long? after = 0; after is not null;)
        {
            var page = await Client.GetFromJsonAsync<LedgerAnswer>($"/v1/ledger?after={after}&limit=100", TestContext.Current.CancellationToken);
            entries.AddRange(page!.Items);
            after = page.Next;
        }

        return entries;
    }

    private async Task<HttpResponseMessage> SendAsync(Guid id, object body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/payments") { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", id.ToString());
        return await Client.SendAsync(request, cancellation);
    }

    private ProcessStartInfo Command() => new("dotnet", [Path.Combine(AppContext.BaseDirectory, "PaymentProvider.dll")])
    {
        RedirectStandardOutput = true,
        Environment =
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["Ledger__Directory"] = _directory.FullName,
            ["Draining__Delay"] = DrainingDelay.ToString(),
        },
    };

    /// <summary>The address in its output, which is read to the end: a full pipe would stop it.</summary>
    private Task<string> AddressAsync(Process process)
    {
        const string listening = "Now listening on: ";
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _output.Enqueue(line.Data);
            if (line.Data is null)
                address.TrySetException(new InvalidOperationException("The provider ended before it listened."));
            else if (line.Data.IndexOf(listening, StringComparison.Ordinal) is >= 0 and var at)
                address.TrySetResult(line.Data[(at + listening.Length)..]);
        };
        process.BeginOutputReadLine();
        return address.Task;
    }

    public sealed record Entry(long Sequence, Guid PaymentId, string Kind, string? Reference, decimal? Amount, string? Currency, DateTimeOffset At);

    private sealed record LedgerAnswer(IReadOnlyList<Entry> Items, long? Next);
}
