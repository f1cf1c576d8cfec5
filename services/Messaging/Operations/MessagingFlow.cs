using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Operations;

/// <summary>Looks up what a service publishes, handles and has waiting, when somebody asks: from its database and the broker, so that every instance says the same.</summary>
internal sealed class MessagingFlow(NpgsqlDataSource dataSource, TopicOffsets offsets, MessagingOptions options, TimeProvider time)
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    /// <summary>Looks everything up.</summary>
    public async Task<ServiceFlow> ReadAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var names = options.Endpoints.ConvertAll(endpoint => endpoint.Name);
        var broker = AskBrokerAsync(now);
        var outbox = await WaitingMessages.OutboxAsync(dataSource, now, cancellationToken);
        var deadLetters = await WaitingMessages.CountAsync(dataSource, WaitingMessages.DeadLettersByEndpoint, names, cancellationToken);
        var parked = await WaitingMessages.CountAsync(dataSource, WaitingMessages.ParkedByEndpoint, names, cancellationToken);
        var handled = await HandledAsync(cancellationToken);
        var asked = await broker;
        return new(options.ServiceName, asked is not null,
            new((long)outbox.Depth, Math.Round(Math.Max(0, outbox.OldestSeconds), 3), (long)outbox.Refused), (long)deadLetters.Values.Sum(), (long)parked.Values.Sum(),
            asked is { } ends ? [.. options.Produced.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic => TopicOf(topic, ends.Ends, ends.MinuteAgo))] : null,
            [.. options.Endpoints.Select(endpoint => new GroupFlow(endpoint.Name, (long)deadLetters[endpoint.Name], (long)parked[endpoint.Name],
                [.. endpoint.Topics.Select(topic => ConsumedOf(endpoint.Name, topic, handled, asked?.Ends))]))]);
    }

    /// <summary>Where all topics end and where they were a minute ago, as far as this service knows them; null where the broker does not answer.</summary>
    private async Task<(Dictionary<(string, int), long> Ends, Dictionary<(string, int), long> MinuteAgo)?> AskBrokerAsync(DateTimeOffset now)
    {
        try
        {
            var partitions = await offsets.PartitionsAsync(options.Endpoints.SelectMany(endpoint => endpoint.Topics).Concat(options.Produced).Distinct());
            var ends = offsets.ReadAsync(partitions, OffsetSpec.Latest());
            var produced = options.Produced.Select(topic => topic.Name).ToHashSet();
            var minuteAgo = offsets.ReadAsync([.. partitions.Where(partition => produced.Contains(partition.Topic))], OffsetSpec.ForTimestamp((now - Recent).ToUnixTimeMilliseconds()));
            await Task.WhenAll(ends, minuteAgo);
            return (await ends, await minuteAgo);
        }
        catch (KafkaException)
        {
            // away: the answer says so
            return null;
        }
    }

    private async Task<Dictionary<(string Endpoint, string Topic, int Partition), long>> HandledAsync(CancellationToken cancellationToken)
    {
        var handled = new Dictionary<(string, string, int), long>();
        await using var command = dataSource.CreateCommand("SELECT endpoint, topic, partition, next_offset FROM consumer_offsets");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            handled[(reader.GetString(0), reader.GetString(1), reader.GetInt32(2))] = reader.GetInt64(3);
        return handled;
    }

    private static TopicFlow TopicOf(Topic topic, Dictionary<(string, int), long> ends, Dictionary<(string, int), long> minuteAgo)
    {
        var partitions = ends.Keys.Where(partition => partition.Item1 == topic.Name).ToList();
        return new(topic.Name, partitions.Count, partitions.Sum(partition => ends[partition]),
            // a partition with nothing since then has no offset for that time
            partitions.Where(partition => minuteAgo[partition] >= 0).Sum(partition => Math.Max(0, ends[partition] - minuteAgo[partition])));
    }

    private static ConsumedTopic ConsumedOf(string endpoint, Topic topic, Dictionary<(string, string, int), long> handled, Dictionary<(string, int), long>? ends)
    {
        return new(topic.Name, handled.Where(partition => partition.Key.Item1 == endpoint && partition.Key.Item2 == topic.Name).Sum(partition => partition.Value),
            ends?.Where(partition => partition.Key.Item1 == topic.Name).Sum(partition => Math.Max(0, partition.Value - handled.GetValueOrDefault((endpoint, topic.Name, partition.Key.Item2)))));
    }
}

/// <summary><c>GET /api/ops/{service}/flow</c>: for operators.</summary>
internal static class FlowEndpoint
{
    public static void MapFlow(this RouteGroupBuilder operations) =>
        operations.MapGet("/flow", async Task<Ok<ServiceFlow>> (MessagingFlow flow, CancellationToken cancellationToken) => TypedResults.Ok(await flow.ReadAsync(cancellationToken)))
            .WithSummary("What the service publishes and handles, how far it is behind, and what waits.");
}
