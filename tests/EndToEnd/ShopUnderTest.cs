using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.AppHost.Running;
using Shop.Testing;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Shop.EndToEnd;

/// <summary>A whole shop, started as a user starts it: <c>./shop up --detach</c>, with a data directory and a port of its own.</summary>
/// <param name="broker">Its Kafka.</param>
/// <param name="replicas">Instances of each service.</param>
/// <param name="data">Its data directory; null for a temporary one.</param>
public abstract class ShopUnderTest(Broker broker, int replicas = 1, string? data = null) : IAsyncLifetime
{
    private static readonly TimeSpan CommandDeadline = TimeSpan.FromMinutes(15);
    private readonly string _data = data ?? Path.Combine(Path.GetTempPath(), $"shop-e2e-{Guid.CreateVersion7():N}");
    private readonly int _port = Ports.Free();

    /// <summary>The gateway, as a shopper reaches it.</summary>
    public HttpClient Gateway { get; private set; } = null!;

    /// <summary>Why this shop cannot be started here; null when it can.</summary>
    public string? NotAvailable => broker == Broker.Apache && ApacheKafka.Home is null ? "KAFKA_HOME is not set" : null;

    /// <summary>
    /// Environment variables of the shop, beside data directory, port and replicas. On a machine that is slow enough a whole shop is away for longer
    /// than an order waits, and an order that is cancelled for that is no loss.
    /// </summary>
    protected virtual IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string> { ["Deadlines__Reservation"] = "01:00:00", ["Deadlines__Payment"] = "01:00:00" };

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (NotAvailable is not null)
            return;
        await UpAsync();
        // no cookies: many shoppers use this client, who are not on one device
        Gateway = new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        if (NotAvailable is not null)
            return;
        Gateway?.Dispose();
        await ResetAsync();
    }

    /// <summary>The data directory.</summary>
    public string Data => _data;

    /// <summary>Starts the shop; returns when it takes orders.</summary>
    public async Task UpAsync()
    {
        var (exitCode, output) = await RunAsync("up", "--detach");
        Assert.True(exitCode == 0, $"./shop up --detach exited with {exitCode}:\n{output}");
    }

    /// <summary>Ends the shop and removes its data; neither a process nor a file of it may be left.</summary>
    public async Task ResetAsync()
    {
        var (exitCode, output) = await RunAsync("reset");
        Assert.True(exitCode == 0, $"./shop reset exited with {exitCode}:\n{output}");
        Assert.False(Directory.Exists(_data), "reset left the data behind");
        // what has been told to end may need a moment for it
        await Eventually.BecomesAsync("", () => Task.FromResult(string.Join('\n', Processes())), TimeSpan.FromSeconds(30));
    }

    /// <summary>
    /// The processes of this shop: whatever its environment, its arguments or its directory names the data directory. Linux only:
    /// elsewhere there are none to be seen.
    /// </summary>
    public IReadOnlyList<ShopProcess> Processes() => !Directory.Exists("/proc/self") ? [] :
        [.. Directory.GetDirectories("/proc").Select(directory => int.TryParse(Path.GetFileName(directory), out var id) ? id : 0)
            .Where(id => id > 0 && id != Environment.ProcessId).Select(ProcessOf).OfType<ShopProcess>()];

    private ShopProcess? ProcessOf(int id)
    {
        try
        {
            var arguments = File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
            var directory = new FileInfo($"/proc/{id}/cwd").LinkTarget ?? "";
            return arguments.Contains(_data, StringComparison.Ordinal) || directory.StartsWith(_data, StringComparison.Ordinal)
                || File.ReadAllText($"/proc/{id}/environ").Contains($"={_data}\0", StringComparison.Ordinal) ? new(id, arguments) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended since, or is somebody else's
        }
    }

    /// <summary>The parts as <c>./shop status --json</c> shows them.</summary>
    public async Task<IReadOnlyList<Part>> PartsAsync()
    {
        var (exitCode, output) = await RunAsync("status", "--json");
        Assert.True(exitCode == 0, output);
        return JsonDocument.Parse(output).RootElement.GetProperty("parts").Deserialize<List<Part>>(JsonSerializerOptions.Web)!;
    }

    /// <summary>Every entry of the payment provider's ledger.</summary>
    public async Task<IReadOnlyList<LedgerEntry>> LedgerAsync()
    {
        var provider = (await PartsAsync()).Single(part => part.Name == "payment-provider");
        using var client = new HttpClient { BaseAddress = new(provider.Url!) };
        var entries = new List<LedgerEntry>();
        for (long? after = 0; after is not null;)
        {
            var page = await client.GetFromJsonAsync<LedgerPage>($"/v1/ledger?after={after}&limit=10000");
            entries.AddRange(page!.Items);
            after = page.Next;
        }
        return entries;
    }

    /// <summary>Asks or changes a service's database by SQL, as its role.</summary>
    /// <returns>What psql says, without headings.</returns>
    public async Task<string> PsqlAsync(string service, string sql)
    {
        var (exitCode, output) = await RunAsync("psql", service, "--tuples-only", "--no-align", "-c", sql);
        Assert.True(exitCode == 0, output);
        return output.Trim();
    }

    /// <summary>Runs <c>./shop</c> with this shop's data directory and port.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "shop"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["SHOP_DATA"] = _data;
        start.Environment["SHOP_PORT"] = _port.ToString();
        start.Environment["SHOP_REPLICAS"] = replicas.ToString();
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        if (broker == Broker.Embedded)
            start.Environment.Remove("KAFKA_HOME");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(CommandDeadline);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, output + await error);
    }
}

/// <summary>A shop on EmbeddedKafka.</summary>
public sealed class ShopOnEmbeddedKafka() : ShopUnderTest(Broker.Embedded);

/// <summary>A shop that a test starts and ends by itself.</summary>
public sealed class ShopOfOneTest(int replicas = 1, string? data = null) : ShopUnderTest(Broker.Embedded, replicas, data);

/// <summary>A shop on Apache Kafka.</summary>
public sealed class ShopOnApacheKafka() : ShopUnderTest(Broker.Apache);

/// <summary>Tests that leave a shop on EmbeddedKafka as they found it, and share one.</summary>
[CollectionDefinition(nameof(EmbeddedKafkaShop))]
public sealed class EmbeddedKafkaShop : ICollectionFixture<ShopOnEmbeddedKafka>;

/// <summary>
/// Tests of the pages, whose shop is on EmbeddedKafka: they leave behind what an operator decided, a shopper who was hasty, and a dead letter that was
/// redriven. Of the people on the sign-in page Linus is the hasty one, whose next payments are declined.
/// </summary>
[CollectionDefinition(nameof(ShopInBrowsers))]
public sealed class ShopInBrowsers : ICollectionFixture<ShopOnEmbeddedKafka>;

/// <summary>Tests that leave a shop on Apache Kafka as they found it, and share one.</summary>
[CollectionDefinition(nameof(ApacheKafkaShop))]
public sealed class ApacheKafkaShop : ICollectionFixture<ShopOnApacheKafka>;

/// <summary>A shop with two instances of each service, on EmbeddedKafka, whose traces are collected.</summary>
public sealed class ShopWithTwoInstances() : ShopUnderTest(Broker.Embedded, replicas: 2)
{
    /// <summary>What the services export.</summary>
    public TraceCollector Traces { get; } = new();

    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(base.Settings)
    {
        ["SHOP_DASHBOARD"] = "off",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Traces.Endpoint,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
    };

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Traces.DisposeAsync();
    }
}

/// <summary>A part of <c>./shop status --json</c>.</summary>
public sealed record Part(string Name, int Instance, int? Pid, string? Url, string State, int Restarts);

/// <summary>A process of a shop.</summary>
public sealed record ShopProcess(int Id, string Arguments);

/// <summary>A page of the provider's ledger.</summary>
public sealed record LedgerPage(IReadOnlyList<LedgerEntry> Items, long? Next);

/// <summary>An entry of the provider's ledger; the reference is the order's id.</summary>
public sealed record LedgerEntry(long Sequence, Guid PaymentId, string Kind, string? Reference, decimal? Amount);
