using System.Text.Json;
using System.Text.RegularExpressions;

namespace Shop.KafkaBroker.Tests;

/// <summary>A member of a group that reads topic "events", as a process; what it prints is followed as it comes.</summary>
internal sealed partial class ForeignGroupMember : IAsyncDisposable
{
    private readonly ClientProcess _process;

    public ForeignGroupMember(string client, string assignor, string bootstrapServers, string group, GroupProgress progress)
    {
        Progress = new(progress);
        var (file, arguments) = Command(client, assignor, bootstrapServers, group);
        _process = ClientProcess.StartIn(null, file, arguments, Follow);
    }

    public MemberProgress Progress { get; }

    /// <summary>Lets it leave the group.</summary>
    public Task LeaveAsync() => _process.TerminateAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static (string File, IEnumerable<string> Arguments) Command(string client, string assignor, string bootstrapServers, string group) => client switch
    {
        "kafka-python" => (ForeignClients.Python, [ForeignClients.PythonClient, bootstrapServers, "member", group, assignor]),
        "KafkaJS" => ("node", [ForeignClients.KafkaJs, bootstrapServers, "member", group]),
        "kcat" => ("kcat", ["-b", bootstrapServers, "-u", "-X", $"partition.assignment.strategy={assignor}", "-X", "auto.offset.reset=earliest",
            "-X", "heartbeat.interval.ms=200", "-X", "auto.commit.interval.ms=200", "-f", "record %p %o\\n", "-G", group, "events"]),
        _ => ("java", ForeignClients.Java("org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server", bootstrapServers, "--topic", "events", "--group-id", group, "--verbose",
            "--command-config", Path.Combine(AppContext.BaseDirectory, "clients", "verifiable-consumer.properties"),
            "--assignment-strategy", $"org.apache.kafka.clients.consumer.{assignor}Assignor")),
    };

    private void Follow(string line)
    {
        if (line.StartsWith("{\"timestamp\"", StringComparison.Ordinal))
            FollowVerifiable(line);
        else if (KcatRebalanced().Match(line) is { Success: true } rebalanced)
            FollowAssignment(rebalanced.Groups[1].Value == "assign", [.. PartitionInBrackets().Matches(line).Select(match => int.Parse(match.Groups[1].Value))]);
        else
            FollowWords(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private void FollowWords(string[] words)
    {
        if (words is ["assigned" or "revoked", ..])
            FollowAssignment(words[0] == "assigned", [.. words.Skip(1).Select(int.Parse)]);
        else if (words is ["record", var partition, var offset])
            Progress.OnRead(int.Parse(partition), long.Parse(offset));
        else if (words is ["committed", var committed, var next])
            Progress.OnCommitted(int.Parse(committed), long.Parse(next));
    }

    private void FollowVerifiable(string line)
    {
        using var json = JsonDocument.Parse(line);
        var happened = json.RootElement;
        switch (happened.GetProperty("name").GetString())
        {
            case "partitions_assigned" or "partitions_revoked":
                FollowAssignment(happened.GetProperty("name").ValueEquals("partitions_assigned"), [.. happened.GetProperty("partitions").EnumerateArray().Select(Partition)]);
                break;
            case "record_data":
                Progress.OnRead(Partition(happened), happened.GetProperty("offset").GetInt64());
                break;
            case "offsets_committed" when happened.GetProperty("success").GetBoolean():
                foreach (var committed in happened.GetProperty("offsets").EnumerateArray())
                    Progress.OnCommitted(Partition(committed), committed.GetProperty("offset").GetInt64());
                break;
        }

        static int Partition(JsonElement element) => element.GetProperty("partition").GetInt32();
    }

    private void FollowAssignment(bool assigned, int[] partitions)
    {
        if (assigned)
            Progress.OnAssigned(partitions);
        else
            Progress.OnRevoked(partitions);
    }

    /// <summary>kcat's lines: "... rebalanced (...): assigned: events [0], events [1]", "... rebalanced: incremental revoke of 1 partition(s) ...: events [0]".</summary>
    [GeneratedRegex("^% Group .* rebalanced.*(assign|revoke)")]
    private static partial Regex KcatRebalanced();

    [GeneratedRegex(@" \[(\d+)\]")]
    private static partial Regex PartitionInBrackets();
}
