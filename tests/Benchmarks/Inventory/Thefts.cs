using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Confluent.Kafka;
using Shop.Contracts;

namespace Shop.Benchmarks.Inventory;

/// <summary>Shelves that say twice a second what they weigh, and from each of which three pieces are taken: how long it is until the alarm is on its topic.</summary>
internal sealed class Thefts : IDisposable
{
    private const int UnitGrams = 350, TareGrams = 1_200, Pieces = 100, Stolen = 3;

    /// <summary>As a scale that is bought: often enough for what is asked for, seldom enough for a battery.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500), Deadline = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly int _shelves;
    private readonly IConsumer<string, byte[]> _alarms;
    private long _sent;

    /// <param name="inventory">Where Inventory listens.</param>
    /// <param name="kafka">The broker.</param>
    /// <param name="shelves">How many there are.</param>
    public Thefts(string inventory, string kafka, int shelves)
    {
        (_http, _shelves) = (new() { BaseAddress = new(inventory) }, shelves);
        _http.DefaultRequestHeaders.Add("X-Device-Key", DeviceLoad.Key);
        _alarms = new ConsumerBuilder<string, byte[]>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "thefts", EnableAutoCommit = false }).Build();
        _alarms.Assign(Enumerable.Range(0, Topics.Alarms.Partitions).Select(partition => new TopicPartitionOffset(Topics.Alarms.Name, partition, Offset.Beginning)));
    }

    /// <summary>Readings that were accepted.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>What makes the shelves, their products and their stock, in Inventory's database.</summary>
    public static IEnumerable<string> Setup(int shelves) =>
    [
        $"INSERT INTO products (sku, name, description, price_amount, price_currency) SELECT 'shelf-' || i, 'Shelf', '', 9.50, 'EUR' FROM generate_series(0, {shelves - 1}) i",
        $"UPDATE stock SET on_hand = {Pieces} WHERE sku LIKE 'shelf-%'",
        $"""
        INSERT INTO sensors (name, kind, sku, unit_grams, tare_grams, key_digest, registered_at)
            SELECT 'shelf-' || i, 'weight', 'shelf-' || i, {UnitGrams}, {TareGrams}, sha256('{DeviceLoad.Key}'), now() FROM generate_series(0, {shelves - 1}) i;
        INSERT INTO sensor_states (sensor, strikes) SELECT name, 0 FROM sensors WHERE kind = 'weight'
        """,
    ];

    /// <summary>Takes the pieces from one shelf after another, while all go on sending.</summary>
    /// <returns>Milliseconds from each theft until its alarm was read, sorted.</returns>
    /// <exception cref="InvalidOperationException">A theft was not told, or a shelf from which nothing was taken raised an alarm.</exception>
    public async Task<List<double>> StealAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var stolen = new ConcurrentDictionary<string, DateTime>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = Enumerable.Range(0, _shelves).Select(shelf => SendAsync($"shelf-{shelf}", stolen, ended.Token)).ToList();
        var reading = Task.Factory.StartNew(() => Read(stolen, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (var shelf = 0; shelf < _shelves; shelf++)
        {
            await Task.Delay(duration / (_shelves + 1), cancellationToken);
            stolen[$"shelf-{shelf}"] = DateTime.UtcNow;
        }
        var told = await reading;
        await ended.CancelAsync();
        await Task.WhenAll(sending);
        return [.. told.Select(alarm => (alarm.Value - stolen[alarm.Key]).TotalMilliseconds).Order()];
    }

    public void Dispose()
    {
        _http.Dispose();
        _alarms.Close();
        _alarms.Dispose();
    }

    private async Task SendAsync(string shelf, ConcurrentDictionary<string, DateTime> stolen, CancellationToken cancellationToken)
    {
        try
        {
            // not all at the same moment
            await Task.Delay(Interval * Random.Shared.NextDouble(), cancellationToken);
            using var timer = new PeriodicTimer(Interval);
            do
            {
                var pieces = stolen.ContainsKey(shelf) ? Pieces - Stolen : Pieces;
                using var content = new StringContent(string.Create(CultureInfo.InvariantCulture,
                    $$"""[{"at":"{{DateTime.UtcNow:O}}","weightGrams":{{TareGrams + pieces * UnitGrams + Random.Shared.Next(-40, 41)}}}]"""), new MediaTypeHeaderValue("application/json"));
                using var answer = await _http.PostAsync($"/api/devices/{shelf}/readings", content, cancellationToken);
                answer.EnsureSuccessStatusCode();
                Interlocked.Increment(ref _sent);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // all were told
        }
    }

    private Dictionary<string, DateTime> Read(ConcurrentDictionary<string, DateTime> stolen, CancellationToken cancellationToken)
    {
        var told = new Dictionary<string, DateTime>();
        var began = TimeProvider.System.GetTimestamp();
        while (told.Count < _shelves)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (stolen.Count == _shelves && stolen.Values.Max() < DateTime.UtcNow - Deadline)
                throw new InvalidOperationException($"Of {_shelves} thefts {told.Count} were told, {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0} s after the first");
            if (_alarms.Consume(TimeSpan.FromMilliseconds(100)) is not { Message: var message } || !message.Key.StartsWith("shelf-", StringComparison.Ordinal))
                continue;
            if (!stolen.ContainsKey(message.Key))
                throw new InvalidOperationException($"{message.Key} raised an alarm, and nothing was taken from it: {Encoding.UTF8.GetString(message.Value)}");
            told.TryAdd(message.Key, DateTime.UtcNow);
        }
        return told;
    }
}
