using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.AppHost.Running;
using Shop.Testing;

namespace Shop.Benchmarks.Startup;

/// <summary>
/// A whole shop, as a developer starts it: from <c>./shop up --detach</c> to the first confirmed order, its memory when it is idle, and its
/// end; with Aspire's dashboard and without, on fresh data and on data that is there.
/// </summary>
internal static class StartupBench
{
    private const string Order = """
        {"lines":[{"sku":"mug-blue","quantity":1}],"payment":{"token":"tok_visa"},
         "shipTo":{"name":"Ada Lovelace","street":"12 St James Square","city":"London","postalCode":"SW1Y 4JH","country":"GB"}}
        """;

    private static readonly TimeSpan OrderDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>After this time without orders a shop counts as idle.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A shop did not start, did not confirm an order, or could not be stopped.</exception>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        foreach (var dashboard in (string[])["on", "off"])
        {
            var shop = new StartedShop(dashboard);
            try
            {
                // building, and reading everything from the disk for the first time, is not measured
                await shop.RunAsync("up", "--detach", cancellationToken);
                await shop.RunAsync("reset", cancellationToken);
                await MeasureAsync(report, shop, $"startup.dashboard-{dashboard}.fresh", goalSeconds: 10, memoryGoal: null, cancellationToken);
                await MeasureAsync(report, shop, $"startup.dashboard-{dashboard}.existing", goalSeconds: 8, memoryGoal: dashboard == "on" ? 1_126 : 800, cancellationToken);
            }
            finally
            {
                await shop.RunAsync("reset", CancellationToken.None);
            }
        }
    }

    private static async Task MeasureAsync(Report report, StartedShop shop, string name, double goalSeconds, double? memoryGoal, CancellationToken cancellationToken)
    {
        var up = Stopwatch.StartNew();
        await shop.RunAsync("up", "--detach", cancellationToken);
        var first = Stopwatch.StartNew();
        using var shopper = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{shop.Port}") };
        await ConfirmOrderAsync(shopper, cancellationToken);
        report.Add(new($"{name}.up-to-order", up.Elapsed.TotalSeconds, "s", null, goalSeconds, LowerIsBetter: true));
        report.Add(new($"{name}.first-order", first.Elapsed.TotalSeconds, "s", null, 0.5, LowerIsBetter: true));
        if (memoryGoal is { } goal)
        {
            await Task.Delay(Idle, cancellationToken);
            report.Add(new($"{name}.memory", shop.ProportionalMebibytes(), "MiB", null, goal, LowerIsBetter: true));
        }
        var down = Stopwatch.StartNew();
        await shop.RunAsync("down", cancellationToken);
        report.Add(new($"{name}.down", down.Elapsed.TotalSeconds, "s", null, 5, LowerIsBetter: true));
    }

    private static async Task ConfirmOrderAsync(HttpClient shopper, CancellationToken cancellationToken)
    {
        using var signIn = await shopper.PostAsJsonAsync("/api/dev/token", new { name = "ada" }, cancellationToken);
        shopper.DefaultRequestHeaders.Authorization = new("Bearer", (await signIn.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("access_token").GetString());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = new StringContent(Order, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var accepted = await shopper.SendAsync(request, cancellationToken);
        if (!accepted.IsSuccessStatusCode)
            throw new InvalidOperationException($"The order was answered with {(int)accepted.StatusCode}: {await accepted.Content.ReadAsStringAsync(cancellationToken)}");
        var id = (await accepted.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString();
        for (var since = Stopwatch.StartNew(); since.Elapsed < OrderDeadline; await Task.Delay(PollInterval, cancellationToken))
        {
            var order = await shopper.GetFromJsonAsync<JsonElement>($"/api/orders/{id}", cancellationToken);
            if (order.GetProperty("status").GetString() is "confirmed" or "fulfilled")
                return;
        }
        throw new InvalidOperationException($"The order was not confirmed within {OrderDeadline.TotalSeconds} s");
    }

    /// <summary>A shop with a data directory and a port of its own.</summary>
    private sealed class StartedShop(string dashboard)
    {
        private readonly string _data = Path.Combine(Path.GetTempPath(), $"shop-startup-{Guid.CreateVersion7():N}");

        public int Port { get; } = Ports.Free();

        public Task RunAsync(string command, CancellationToken cancellationToken) => RunAsync([command], cancellationToken);

        public Task RunAsync(string command, string option, CancellationToken cancellationToken) => RunAsync([command, option], cancellationToken);

        private async Task RunAsync(string[] arguments, CancellationToken cancellationToken)
        {
            var start = new ProcessStartInfo(Path.Combine(Repository.Root, "shop"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["SHOP_DATA"] = _data;
            start.Environment["SHOP_PORT"] = Port.ToString(CultureInfo.InvariantCulture);
            start.Environment["SHOP_DASHBOARD"] = dashboard;
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"./shop {arguments[0]} exited with {process.ExitCode}:\n{output}{await errors}");
        }

        /// <summary>The proportional set size (PSS) of all its processes, Aspire's own and PostgreSQL's among them: a page that several share counts once in all.</summary>
        public double ProportionalMebibytes() => Directory.EnumerateDirectories("/proc").Where(process => int.TryParse(Path.GetFileName(process), out _) && IsPart(process)).Sum(process =>
            Read($"{process}/smaps_rollup").Split('\n').Where(line => line.StartsWith("Pss:", StringComparison.Ordinal))
                .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture))) / 1024.0;

        // PostgreSQL's processes write their title over their environment; they are in their data directory
        private bool IsPart(string process) =>
            Read($"{process}/environ").Split('\0').Contains($"SHOP_DATA={_data}")
            || Read(() => new DirectoryInfo($"{process}/cwd").LinkTarget).StartsWith(_data + "/", StringComparison.Ordinal);

        private static string Read(string file) => Read(() => File.ReadAllText(file));

        private static string Read(Func<string?> read)
        {
            try
            {
                return read() ?? "";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return ""; // it has ended since, or is somebody else's
            }
        }
    }
}
