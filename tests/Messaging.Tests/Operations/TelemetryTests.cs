using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Consuming;
using Shop.Messaging.Operations;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Operations;

/// <summary>What people see of the messaging: one trace from the request to the last handler, and what waits where.</summary>
public sealed class TelemetryTests(PostgresFixture postgres, BrokerFixture brokers)
{
    [Fact]
    public async Task One_trace_leads_from_the_request_through_every_event_to_the_last_handler()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        using var source = new ActivitySource($"{service.Name}-requests");
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = listened => listened.Name == source.Name || listened.Name == MessagingTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var instance = await service.StartAsync();

        ActivityTraceId trace;
        using (var request = source.StartActivity("POST /notes"))
        {
            trace = request!.TraceId;
            await instance.PublishAsync(new Noted(Guid.CreateVersion7(), 1));
        }

        // POST, send the note, handle it, send what was recorded: each the child of the one before; and the batch of one, with its database work
        await Eventually.BecomesAsync(5, () => Task.FromResult(spans.Count(span => span.TraceId == trace)));
        var ours = spans.Where(span => span.TraceId == trace).ToDictionary(span => span.OperationName);
        string[] chain = ["POST /notes", $"send {service.Notes}", $"process {service.Notes}", $"send {service.Records}"];
        Assert.Equal(chain[1..].Select(name => ours[name].ParentSpanId), chain[..^1].Select(name => ours[name].SpanId));
        Assert.Equal((ActivityKind.Producer, ActivityKind.Consumer), (ours[chain[1]].Kind, ours[chain[2]].Kind));
        Assert.Equal(service.Group, ours[chain[2]].GetTagItem("messaging.consumer.group.name"));
        Assert.Equal("kafka", ours[chain[2]].GetTagItem("messaging.system"));
        Assert.Equal((ours[chain[1]].SpanId, 1), (ours[$"process {service.Group}"].ParentSpanId, ours[$"process {service.Group}"].GetTagItem("messaging.batch.message_count")));
    }

    /// <summary>Also where an attribute cannot be read, which fails the batch later.</summary>
    [Fact]
    public async Task What_the_database_does_for_a_batch_is_in_its_span_which_is_linked_to_every_trace()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        using var source = new ActivitySource($"{service.Name}-requests");
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = listened => listened.Name is MessagingTelemetry.Name or "Npgsql" || listened.Name == source.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await service.PrepareAsync();
        var trace = ActivityTraceId.CreateRandom();
        await service.Topics.ProduceAsync(service.Notes, Enumerable.Range(0, 5).Select(_ => TopicClient.Message("k", "{}"u8.ToArray(), ("traceparent", $"00-{trace}-00f067aa0ba902b7-01"))));
        await using var instance = await service.StartAsync();
        await Eventually.BecomesAsync(1L, () => instance.CountAsync("dead_letters"));
        // its span ends after it is seen
        await Eventually.BecomesTrueAsync(() => Task.FromResult(spans.Any(span => span.OperationName == $"process {service.Group}" && span.TraceId == trace
            && span.Status == ActivityStatusCode.Unset && spans.Any(sql => sql.Source.Name == "Npgsql" && sql.ParentSpanId == span.SpanId))));

        var batch = spans.First(span => span.OperationName == $"process {service.Group}" && span.GetTagItem("messaging.batch.message_count") is 5);
        Assert.Equal(Enumerable.Repeat(trace, 5), batch.Links.Select(link => link.Context.TraceId));
        Assert.NotEqual(trace, batch.TraceId);
        Assert.Equal(ActivityStatusCode.Error, batch.Status);
    }

    /// <summary>Of a handler of batches, whose records are no spans of their own, too.</summary>
    [Fact]
    public async Task What_an_operator_has_handled_again_is_a_span_that_is_linked_to_the_records_trace()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = listened => listened.Name is MessagingTelemetry.Name or "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var refusing = new Refusing();
        await using var instance = await ServiceHarness<TestDb>.StartAsync(service.Name, service.Database, service.Kafka,
            messaging => messaging.Produces(service.Notes).Endpoint("looker", endpoint => endpoint.Consumes(service.Notes).BatchHandler<Refusing>()),
            services => services.AddSingleton(refusing), TestContext.Current.CancellationToken);
        var trace = ActivityTraceId.CreateRandom();
        await service.Topics.ProduceAsync(service.Notes, [TopicClient.Message("k", "{}"u8.ToArray(), ("ce_id", $"{Guid.CreateVersion7()}"), ("ce_type", "seen"), ("ce_source", "/tests"), ("ce_time", "2026-11-22T12:00:00Z"),
            ("traceparent", $"00-{trace}-00f067aa0ba902b7-01"))]);
        await Eventually.BecomesAsync(1L, () => instance.CountAsync("dead_letters"));
        var letter = Assert.Single(await instance.DeadLettersAsync());
        await Eventually.BecomesTrueAsync(() => Task.FromResult(spans.Any(span => span.OperationName == $"process {service.Name}.looker" && span.Status == ActivityStatusCode.Unset)));

        spans.Clear();
        Assert.Equal(HttpStatusCode.Conflict, await instance.RedriveAsync(letter.Id));
        refusing.Refuses = false;
        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync(letter.Id));

        var played = spans.Where(span => span.OperationName == $"process {service.Name}.looker").ToList();
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], played.Select(span => span.Status));
        Assert.All(played, span => Assert.Equal(trace, Assert.Single(span.Links).Context.TraceId));
        Assert.Contains(spans, sql => sql.Source.Name == "Npgsql" && sql.ParentSpanId == played[1].SpanId);
    }

    private sealed class Refusing : IRecordBatchHandler
    {
        public bool Refuses { get; set; } = true;

        public Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken) =>
            Refuses ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
    }

    [Fact]
    public async Task Metrics_tell_what_was_done_and_what_waits()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        using var tickets = await TicketService.CreateAsync(postgres, brokers, Broker.Embedded);
        var measured = new ConcurrentDictionary<(string Name, string Tag), double>();
        // tickets of the services of other tests are counted under the same states
        const int Open = 7;
        var openTickets = new ConcurrentBag<double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == MessagingTelemetry.Name)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        var poison = Guid.CreateVersion7();
        var hooks = new Hooks { OnNoted = (noted, _) => noted.JournalId == poison ? throw new InvalidOperationException("broken") : Task.CompletedTask };
        await using var instance = await service.StartAsync(hooks);
        await using var ticketing = await tickets.StartAsync();

        await service.Topics.PublishAsync(service.Notes, Journals.Notes([poison, Guid.CreateVersion7()], 3));
        await ticketing.PublishAsync([.. Enumerable.Range(0, Open).Select(_ => new TicketOpened(Guid.CreateVersion7(), 10))]);
        await service.HaveEntriesAsync(3);
        await Eventually.BecomesAsync(2, () => instance.CountAsync("parked_records"));
        await Eventually.BecomesAsync(Open, () => ticketing.CountAsync("tickets"));
        // what is counted is counted after it has taken effect
        await Eventually.BecomesAsync(
            "lag 0, consumed 6, sent 3, dead letters 1, parked 2, refused 0, depth 0, 7 open tickets", async () =>
            {
                await instance.Services.GetRequiredService<MessagingGauges>().MeasureAsync(withSagas: true, TestContext.Current.CancellationToken);
                await ticketing.Services.GetRequiredService<MessagingGauges>().MeasureAsync(withSagas: true, TestContext.Current.CancellationToken);
                openTickets.Clear();
                listener.RecordObservableInstruments();
                return $"lag {Of("shop.consumer.lag", service.Group)}, consumed {Of("messaging.client.consumed.messages", service.Group)}, "
                    + $"sent {Of("messaging.client.sent.messages", service.Records.Name)}, dead letters {Of("shop.dead_letters", service.Group)}, "
                    + $"parked {Of("shop.parked.records", service.Group)}, refused {Of("shop.outbox.refused", service.Name)}, "
                    + $"depth {Of("shop.outbox.depth", service.Name)}, {openTickets.Where(count => count == Open).FirstOrDefault()} open tickets";
            });

        Assert.True(measured.ContainsKey(("shop.outbox.age", service.Name)));
        Assert.True(measured[("messaging.process.duration", service.Group)] > 0);
        Assert.True(measured[("shop.messaging.batch.size", service.Group)] > 0);

        double Of(string name, string tag) => measured.GetValueOrDefault((name, tag), double.NaN);

        // counters and histograms add up, gauges have their last value; the tag is the group, topic, service or state
        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var last = instrument.IsObservable;
            foreach (var tag in tags)
            {
                if (instrument.Name == "shop.sagas" && tag.Value is "Open")
                    openTickets.Add(value);
                else if (tag.Value is string text)
                    measured.AddOrUpdate((instrument.Name, text), value, (_, before) => last ? value : before + value);
            }
        }
    }
}
