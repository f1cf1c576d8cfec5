using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;
using Shop.ServiceDefaults;

namespace Shop.Messaging.Relay;

/// <summary>An event that the broker refused; it and everything later of its key wait.</summary>
/// <param name="Id">Its row in the outbox: for retry and discard.</param>
/// <param name="Topic">Where it should go.</param>
/// <param name="Key">The aggregate's id, which is held back.</param>
/// <param name="EventId">The event's id.</param>
/// <param name="EventType">The event's type.</param>
/// <param name="Error">What the broker said.</param>
/// <param name="RefusedAt">When it was refused last.</param>
/// <param name="Payload">The event's data.</param>
/// <param name="HeldBehind">Later events of the same key that wait behind it.</param>
public sealed record RefusedEventView(long Id, string Topic, string Key, Guid EventId, string EventType, string Error, DateTimeOffset RefusedAt,
    JsonElement? Payload, long HeldBehind);

/// <summary>Lets operators see what the broker refused, try it again and give it up.</summary>
internal static partial class RefusedEventEndpoints
{
    private const int MaxLimit = 200;

    public static void MapRefusedEvents(this RouteGroupBuilder operations)
    {
        var group = operations.MapGroup("/refused-events");
        group.MapGet("/", ListAsync)
            .WithSummary("What the broker refused, oldest first.");
        group.MapPost("/{id:long}/retry", RetryAsync)
            .WithSummary("Publishes a refused event again, and what waits behind it.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPost("/{id:long}/discard", DiscardAsync)
            .WithSummary("Gives a refused event up; what waits behind it goes on.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<Page<RefusedEventView>>, ValidationProblem>> ListAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken, long after = 0, int limit = 50)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();
        await using var command = dataSource.CreateCommand(HeldMessages.ListRefused);
        command.Parameters.Add(SqlParameter.Of(after));
        command.Parameters.Add(SqlParameter.Of(limit + 1));
        var items = new List<RefusedEventView>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetGuid(3), reader.GetString(4), reader.GetString(5),
                reader.GetFieldValue<DateTimeOffset>(6), StoredPayload.Read(reader.GetFieldValue<byte[]>(7)), reader.GetInt64(8)));
        }
        return TypedResults.Ok(items.ToPage(limit, item => item.Id.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Lets the key go: the relay reads the event, and what is behind it, as any other.</summary>
    private static Task<Results<Accepted, ProblemHttpResult>> RetryAsync(long id, NpgsqlDataSource dataSource, OutboxSignal signal, CancellationToken cancellationToken) =>
        EndAsync(id, discard: false, dataSource, signal, cancellationToken);

    /// <summary>Gives the event up; what is behind it goes on without it.</summary>
    private static Task<Results<Accepted, ProblemHttpResult>> DiscardAsync(long id, NpgsqlDataSource dataSource, OutboxSignal signal, CancellationToken cancellationToken) =>
        EndAsync(id, discard: true, dataSource, signal, cancellationToken);

    private static async Task<Results<Accepted, ProblemHttpResult>> EndAsync(long id, bool discard, NpgsqlDataSource dataSource, OutboxSignal signal, CancellationToken cancellationToken)
    {
        if (!await HeldMessages.ReleaseAsync(dataSource, id, discard, cancellationToken))
            return TypedResults.Problem("There is no such refused event", statusCode: StatusCodes.Status404NotFound);
        signal.Set();
        return TypedResults.Accepted((string?)null);
    }
}
