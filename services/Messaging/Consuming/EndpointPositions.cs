using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Consuming;

/// <summary>How far endpoints are, in the database's own word for it.</summary>
public static class EndpointPositions
{
    /// <summary>The offset that an endpoint handles next, of each partition that it has seen; what is before it has had its effect, in the transaction that moved it.</summary>
    /// <param name="connection">To the service's database; in a transaction where there is one.</param>
    /// <param name="endpoint">The endpoint, <c>service.name</c>.</param>
    /// <param name="forUpdate">Whether it goes no further until the connection's transaction ends.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<Dictionary<(string Topic, int Partition), long>> ReadAsync(NpgsqlConnection connection, string endpoint, bool forUpdate, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT topic, partition, next_offset FROM consumer_offsets WHERE endpoint = $1 ORDER BY topic, partition{(forUpdate ? " FOR UPDATE" : "")}", connection)
        {
            Parameters = { SqlParameter.Of(endpoint) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var positions = new Dictionary<(string, int), long>();
        while (await reader.ReadAsync(cancellationToken))
            positions[(reader.GetString(0), reader.GetInt32(1))] = reader.GetInt64(2);
        return positions;
    }
}
