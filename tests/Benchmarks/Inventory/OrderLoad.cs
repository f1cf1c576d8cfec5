using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Benchmarks.Inventory;

/// <summary>People who order at Orders, each once, and wait until it is confirmed: until OrderConfirmed is on its topic.</summary>
internal sealed class OrderLoad : IDisposable
{
    private static readonly string Confirmed = Topics.Orders.Events.Single(e => e.ClrType == typeof(OrderConfirmed)).Name;

    private readonly HttpClient _http;
    private readonly int _products;
    private readonly IConsumer<string, byte[]> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private readonly ConcurrentDictionary<string, DateTime> _ordered = new(), _confirmed = new();
    private int _next;

    /// <param name="orders">Where Orders listens.</param>
    /// <param name="kafka">The broker.</param>
    /// <param name="products">How many products there are, <c>bench-0</c> and so on.</param>
    public OrderLoad(string orders, string kafka, int products)
    {
        (_http, _products) = (new() { BaseAddress = new(orders) }, products);
        _consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "bench", EnableAutoCommit = false, FetchWaitMaxMs = 100 }).Build();
        _consumer.Assign(Enumerable.Range(0, Topics.Orders.Partitions).Select(partition => new TopicPartitionOffset(Topics.Orders.Name, partition, Offset.Beginning)));
        _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Returns when an order is taken: when Orders knows the products.</summary>
    public async Task OrderableAsync(TimeSpan deadline, CancellationToken cancellationToken)
    {
        for (var waited = Stopwatch.StartNew(); !await TryOrderAsync(cancellationToken); await Task.Delay(50, cancellationToken))
        {
            if (waited.Elapsed > deadline)
                throw new InvalidOperationException("Orders takes no order");
        }
    }

    /// <summary>Orders at a steady rate, whether or not those before were answered.</summary>
    public async Task OrderAsync(int perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (began, orders) = (TimeProvider.System.GetTimestamp(), new List<Task<bool>>());
        for (var total = (int)(perSecond * duration.TotalSeconds); orders.Count < total;)
        {
            var due = TimeSpan.FromSeconds((double)orders.Count / perSecond) - TimeProvider.System.GetElapsedTime(began);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, cancellationToken);
            orders.Add(TryOrderAsync(cancellationToken));
        }
        if ((await Task.WhenAll(orders)).Count(taken => !taken) is var refused and > 0)
            throw new InvalidOperationException($"{refused} of {orders.Count} orders were not taken");
    }

    /// <summary>Waits until all are confirmed: milliseconds from the request, sorted, of those since this was asked before.</summary>
    public async Task<List<double>> ConfirmedAsync(TimeSpan deadline, CancellationToken cancellationToken)
    {
        for (var waited = Stopwatch.StartNew(); _ordered.Keys.Any(order => !_confirmed.ContainsKey(order)); await Task.Delay(20, cancellationToken))
        {
            if (_reading.IsCompleted)
                await _reading;
            if (waited.Elapsed > deadline)
                throw new InvalidOperationException($"Only {_confirmed.Count} of {_ordered.Count} orders were confirmed");
        }
        var milliseconds = _ordered.Select(order => (_confirmed[order.Key] - order.Value).TotalMilliseconds).Order().ToList();
        _ordered.Clear();
        return milliseconds;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _reading.Wait();
        _consumer.Close();
        _consumer.Dispose();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task<bool> TryOrderAsync(CancellationToken cancellationToken)
    {
        var shopper = Interlocked.Increment(ref _next);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = new StringContent($$"""
                {"lines":[{"sku":"bench-{{shopper % _products}}","quantity":1}],"payment":{"token":"tok_visa_{{shopper:x8}}"},
                 "shipTo":{"name":"Shopper {{shopper}}","street":"Street {{shopper}}","city":"Berlin","postalCode":"10115","country":"DE"} }
                """, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.Shopper($"shopper-{shopper}"));
        request.Headers.Add("Idempotency-Key", $"bench-{shopper}");
        var began = DateTime.UtcNow;
        using var answer = await _http.SendAsync(request, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            return false;
        _ordered[(await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString()!] = began;
        return true;
    }

    private void Read()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (_consumer.Consume(TimeSpan.FromMilliseconds(100)) is { Message: var message } && message.Headers.TryGetLastBytes("ce_type", out var type) && Encoding.UTF8.GetString(type) == Confirmed)
                _confirmed.TryAdd(message.Key, DateTime.UtcNow);
        }
    }
}
