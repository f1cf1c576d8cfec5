using Shop.Benchmarks;
using Shop.Benchmarks.Activity;
using Shop.Benchmarks.Broker;
using Shop.Benchmarks.Fraud;
using Shop.Benchmarks.Gateway;
using Shop.Benchmarks.Inventory;
using Shop.Benchmarks.Messaging;
using Shop.Benchmarks.Payments;
using Shop.Benchmarks.Startup;

// ./shop bench [broker] [startup] [gateway] [messaging] [messaging.consume] ... [inventory] [activity] [payments] [fraud [--seed N | --stream FILE [--decisions OUT]]] [--json]: every number with its denominator, or its goal, from the same run
var json = args.Contains("--json");
var wanted = args.Where(arg => arg != "--json").ToList();
string? seed = TakeOption("--seed"), stream = TakeOption("--stream"), decisions = TakeOption("--decisions");
var number = 1;
if (seed is not null && !int.TryParse(seed, System.Globalization.CultureInfo.InvariantCulture, out number))
{
    Console.Error.WriteLine($"--seed is a whole number, and '{seed}' is none");
    return 2;
}
var benches = new Dictionary<string, Func<Report, CancellationToken, Task>>
{
    ["broker"] = BrokerBench.RunAsync,
    ["startup"] = StartupBench.RunAsync,
    ["gateway"] = GatewayBench.RunAsync,
    ["messaging.consume"] = MessagingBench.ConsumeAsync,
    ["messaging.relay"] = RelayBench.RunAsync,
    ["messaging.latency"] = MessagingBench.LatencyAsync,
    ["inventory.reservations"] = ReservationBench.RunAsync,
    ["inventory.capture"] = CaptureBench.RunAsync,
    ["inventory.devices"] = DevicesBench.RunAsync,
    ["activity.windows"] = WindowsBench.RunAsync,
    ["activity.rebuild"] = RebuildBench.RunAsync,
    ["activity.warehouse"] = WarehouseBench.RunAsync,
    ["activity.logs"] = LogsBench.RunAsync,
    ["payments"] = PaymentsBench.RunAsync,
    ["fraud"] = new FraudBench(number, stream, decisions).RunAsync,
};
if (wanted.Find(name => !benches.Keys.Any(bench => Is(bench, name))) is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'. Usage: ./shop bench [NAME...] [--json], NAME being {string.Join(", ", benches.Keys)}, or the first part of it.");
    return 2;
}
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
var report = new Report();
try
{
    foreach (var (name, run) in benches.Where(bench => wanted.Count == 0 || wanted.Exists(name => Is(bench.Key, name))))
    {
        Report.Progress($"== {name}");
        await run(report, stop.Token);
    }
}
catch (Exception e) when (e is InvalidOperationException or OperationCanceledException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
Console.WriteLine(json ? report.ToJson() : report.ToTable());
return 0;

// an option without a value stays among the names, where it is said to be none
string? TakeOption(string name)
{
    var at = wanted.IndexOf(name);
    if (at < 0 || at + 1 == wanted.Count)
        return null;
    var value = wanted[at + 1];
    wanted.RemoveRange(at, 2);
    return value;
}

// a name stands for every benchmark below it
static bool Is(string bench, string name) => bench == name || bench.StartsWith(name + ".", StringComparison.Ordinal);
