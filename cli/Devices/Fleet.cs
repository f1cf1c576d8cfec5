using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Shop.Cli.Devices;

/// <summary>Registers sensors, has them send, does what was planned, removes them, and tells what became of it.</summary>
internal sealed class Fleet(FleetPlan plan, ShopClient shop, TextWriter output)
{
    private const double UnitGrams = 350, TareGrams = 1200, ScaleNoiseGrams = 40, MinCelsius = 2, MaxCelsius = 8, ThermometerNoise = 0.2, HeatPerSecond = 0.5;
    private const int RegisteringAtOnce = 16, MostTold = 5;

    private static readonly TimeSpan StockInterval = TimeSpan.FromMilliseconds(500), WatchInterval = TimeSpan.FromMilliseconds(250), CleanupTime = TimeSpan.FromSeconds(30);

    private readonly Random _random = new(plan.Seed);
    private readonly ConcurrentDictionary<string, int> _onHand = new();
    private readonly ConcurrentDictionary<string, long> _noticedAt = new();
    private readonly HashSet<string> _hot = [];
    private List<SimulatedSensor> _sensors = [];
    private long _requests, _accepted, _refused, _again, _plannedAt;

    /// <summary>Runs until the time is over, or it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await shop.SignInAsync(cancellationToken);
        try
        {
            await RegisterAsync(cancellationToken);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            ending.CancelAfter(plan.Duration);
            await Task.WhenAll([WatchStockAsync(ending.Token), CarryOutAsync(ending.Token), .. _sensors.Select(sensor => SendAsync(sensor, ending.Token))]);
        }
        catch (OperationCanceledException)
        {
            // over, or Ctrl-C: either way it is tidied up
        }
        finally
        {
            await RemoveAsync();
        }
        Report();
    }

    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var skus = await shop.SkusAsync(cancellationToken);
        if (plan.StolenSku is { } stolen && !skus.Contains(stolen))
            throw new CommandFailedException($"There is no product {stolen} to steal.");
        // the shelf that is stolen from is among them, however few
        var shelves = skus.OrderBy(sku => sku != plan.StolenSku).Take(Math.Max(plan.StolenSku is null ? 0 : 1, plan.Sensors - plan.Silent - plan.Hot)).ToList();
        var wanted = shelves.Select(sku => (Name: $"sim-shelf-{sku}"[..Math.Min(64, 10 + sku.Length)], Sku: (string?)sku))
            .Concat(Enumerable.Range(1, Math.Max(0, plan.Sensors - shelves.Count)).Select(room => (Name: $"sim-room-{room}", Sku: (string?)null)))
            .Select(sensor => (sensor.Name, sensor.Sku, Seed: _random.Next())).ToList();
        var registered = new ConcurrentBag<SimulatedSensor>();
        var refused = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = RegisteringAtOnce, CancellationToken = cancellationToken }, async (sensor, token) =>
        {
            var setup = sensor.Sku is null
                ? string.Create(CultureInfo.InvariantCulture, $$"""{"kind":"temperature","minCelsius":{{MinCelsius}},"maxCelsius":{{MaxCelsius}}}""")
                : string.Create(CultureInfo.InvariantCulture, $$"""{"kind":"weight","sku":"{{sensor.Sku}}","unitGrams":{{UnitGrams}},"tareGrams":{{TareGrams}}}""");
            if (sensor.Sku is not null)
                _onHand[sensor.Sku] = await shop.OnHandAsync(sensor.Sku, token);
            var (key, refusal) = await shop.RegisterAsync(sensor.Name, setup, token);
            if (key is not null)
                registered.Add(new(sensor.Name, key, sensor.Sku, sensor.Sku is null ? ThermometerNoise : ScaleNoiseGrams, sensor.Seed));
            else
                refused[sensor.Name] = refusal!;
        });
        _sensors = [.. registered.OrderBy(sensor => sensor.Name, StringComparer.Ordinal)];
        // what is stolen from a shelf that is not the fleet's is noticed by nobody
        if (plan.StolenSku is { } sku && refused.TryGetValue(wanted.First(sensor => sensor.Sku == sku).Name, out var why))
            throw new CommandFailedException($"Nothing can be stolen of {sku}, whose shelf is not the fleet's: {why}");
        if (!refused.IsEmpty)
            output.WriteLine($"Refused: {refused.Count} of {wanted.Count} sensors. {Told(refused)}");
        if (_sensors.Count == 0)
            throw new CommandFailedException("There is no sensor that could send.");
        output.WriteLine($"{_sensors.Count} sensors ({_sensors.Count(sensor => sensor.Sku is not null)} scales) send for {plan.Duration.TotalMinutes:0.##} min; --seed {plan.Seed} has the same chances.");
    }

    private static string Told(ConcurrentDictionary<string, string> refused)
    {
        var told = refused.OrderBy(sensor => sensor.Key, StringComparer.Ordinal).Take(MostTold).Select(sensor => $"{sensor.Key}: {sensor.Value}").ToList();
        return string.Join(' ', told) + (refused.Count > told.Count ? " …" : "");
    }

    private async Task SendAsync(SimulatedSensor sensor, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromSeconds(1) + 5 * sensor.Jitter(), cancellationToken);
        while (true)
        {
            for (var taken = 0; taken < 2; taken++)
            {
                sensor.Take(ValueOf(sensor), DateTimeOffset.UtcNow);
                await Task.Delay(SimulatedSensor.ReadingInterval + sensor.Jitter() / 2, cancellationToken);
            }
            if (sensor.IsSilent || sensor.Next(DateTimeOffset.UtcNow) is not { Count: > 0 } readings)
                continue;
            Interlocked.Increment(ref _requests);
            var sent = await shop.SendAsync(sensor.Name, sensor.Key, sensor.ToJson(readings), cancellationToken);
            Interlocked.Add(ref _accepted, sent.Accepted);
            Interlocked.Add(ref _refused, sent.Refused);
            if (sent.RetryAfter is { } pause)
            {
                Interlocked.Increment(ref _again);
                sensor.Keep(readings);
                await Task.Delay(pause, cancellationToken);
            }
        }
    }

    private double ValueOf(SimulatedSensor sensor)
    {
        var since = _plannedAt == 0 ? 0 : Stopwatch.GetElapsedTime(_plannedAt).TotalSeconds;
        if (sensor.Sku is null)
            return (MinCelsius + MaxCelsius) / 2 + (since > 0 && _hot.Contains(sensor.Name) ? Math.Min(MaxCelsius, since * HeatPerSecond) : 0);
        var stolen = since > 0 && sensor.Sku == plan.StolenSku ? plan.StolenPieces : 0;
        return TareGrams + Math.Max(0, _onHand[sensor.Sku] - stolen) * UnitGrams;
    }

    /// <summary>Goods come and go as the stock says.</summary>
    private async Task WatchStockAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var sku in _onHand.Keys)
                _onHand[sku] = await shop.OnHandAsync(sku, cancellationToken);
            await Task.Delay(StockInterval, cancellationToken);
        }
    }

    private async Task CarryOutAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(plan.Duration / 3, cancellationToken);
        var rooms = _sensors.Where(sensor => sensor.Sku is null).ToList();
        foreach (var room in rooms.Take(plan.Silent))
            room.IsSilent = true;
        _hot.UnionWith(rooms.Skip(plan.Silent).Take(plan.Hot).Select(room => room.Name));
        _plannedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            foreach (var (sensor, state) in await shop.StatesAsync(cancellationToken))
            {
                if (state is "alarm" or "silent")
                    _noticedAt.TryAdd(sensor, Stopwatch.GetTimestamp());
            }
            await Task.Delay(WatchInterval, cancellationToken);
        }
    }

    private async Task RemoveAsync()
    {
        using var patience = new CancellationTokenSource(CleanupTime);
        await Parallel.ForEachAsync(_sensors, new ParallelOptions { MaxDegreeOfParallelism = RegisteringAtOnce, CancellationToken = patience.Token },
            async (sensor, token) => await shop.RemoveAsync(sensor.Name, token));
    }

    private void Report()
    {
        var (repeated, late) = (_sensors.Sum(sensor => sensor.Odd.Repeated), _sensors.Sum(sensor => sensor.Odd.Late));
        output.WriteLine($"{_accepted} readings taken in {_requests} requests, {_refused} refused; {repeated} were sent again, {late} late. {_again} requests had to be repeated.");
        var planned = new HashSet<string>();
        foreach (var sensor in _sensors.Where(sensor => _plannedAt > 0 && sensor.Sku is not null && sensor.Sku == plan.StolenSku))
            Tell(sensor.Name, $"{plan.StolenPieces} of {plan.StolenSku} were stolen");
        foreach (var sensor in _sensors.Where(sensor => sensor.IsSilent))
            Tell(sensor.Name, $"{sensor.Name} fell silent");
        foreach (var room in _hot.Order(StringComparer.Ordinal))
            Tell(room, $"{room} became too warm, slowly");
        var unplanned = _noticedAt.Keys.Except(planned).Where(name => _sensors.Exists(sensor => sensor.Name == name)).Order(StringComparer.Ordinal).ToList();
        if (unplanned.Count > 0)
            output.WriteLine($"Alarms about what was not planned: {string.Join(", ", unplanned)}");

        void Tell(string sensor, string what)
        {
            planned.Add(sensor);
            output.WriteLine(_noticedAt.TryGetValue(sensor, out var at)
                ? string.Create(CultureInfo.InvariantCulture, $"{what}: an alarm after {Stopwatch.GetElapsedTime(_plannedAt, at).TotalSeconds:0.0} s")
                : $"{what}: no alarm");
        }
    }
}
