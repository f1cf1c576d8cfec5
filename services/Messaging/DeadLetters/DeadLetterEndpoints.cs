using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Operations;
using Shop.Messaging.Schema;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Messaging.DeadLetters;

/// <summary>A record that a service could not handle.</summary>
/// <param name="Id">Its id: for redrive and discard.</param>
/// <param name="Endpoint">The consumer group that failed.</param>
/// <param name="Topic">Where it was read.</param>
/// <param name="Partition">Where it was read.</param>
/// <param name="Offset">Where it was read.</param>
/// <param name="Key">The aggregate's id, which is parked while the status is <c>parked</c> or <c>redriving</c>.</param>
/// <param name="EventId">The event's id, where it could be read.</param>
/// <param name="EventType">The event's type, where it could be read.</param>
/// <param name="Error">What was thrown, and its message.</param>
/// <param name="StackTrace">Where it was thrown.</param>
/// <param name="FailedAt">When it failed last.</param>
/// <param name="Status"><c>parked</c>, <c>redriving</c>, <c>redriven</c> or <c>discarded</c>.</param>
/// <param name="Payload">The record's value: JSON, or text where it is none.</param>
/// <param name="ParkedBehind">Records of the same key that wait behind it.</param>
public sealed record DeadLetterView(Guid Id, string Endpoint, string Topic, int Partition, long Offset, string Key, Guid? EventId, string? EventType,
    string Error, string StackTrace, DateTimeOffset FailedAt, string Status, JsonElement? Payload, long ParkedBehind);

/// <summary>Lets operators see dead letters, play them again and give them up.</summary>
internal static class DeadLetterEndpoints
{
    private const int MaxLimit = 200;

    public static void MapDeadLetters(this RouteGroupBuilder operations)
    {
        var group = operations.MapGroup("/dead-letters");
        group.MapGet("/", ListAsync)
            .WithSummary("What the service could not handle, newest first.");
        group.MapPost("/redrive", BeginRedriveAsync)
            .WithSummary("Handles many dead letters again, one after the other, and what is parked behind each: those of a topic, of an event type, with an error, or all that wait.")
            .WithDescription("The answer comes at once; `Location` tells where the progress is. A restart of the service does not end it.")
            .WithRequestExample("""{"topic":"orders"}""").WithLocation("How far the redrive is.");
        group.MapGet("/redrives/{id:guid}", FindRedriveAsync)
            .WithSummary("How far a redrive of many dead letters is.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPost("/{id:guid}/redrive", (Guid id, Redriving redriving, CancellationToken cancellationToken) => EndAsync(id, redriving, discard: false, cancellationToken))
            .WithSummary("Handles a dead letter again, and what is parked behind it.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        group.MapPost("/{id:guid}/discard", (Guid id, Redriving redriving, CancellationToken cancellationToken) => EndAsync(id, redriving, discard: true, cancellationToken))
            .WithSummary("Gives a dead letter up, and handles what is parked behind it.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<Page<DeadLetterView>>, ValidationProblem>> ListAsync(
        NpgsqlDataSource dataSource, CancellationToken cancellationToken, Guid? after = null, int limit = 50, string? status = null)
    {
        var errors = new ValidationErrors();
        errors.CheckLimit(limit, MaxLimit);
        if (status is not (null or "parked" or "redriving" or "redriven" or "discarded"))
            errors.Add(nameof(status), "Must be parked, redriving, redriven or discarded.");
        if (errors.Any)
            return errors.ToProblem();
        await using var command = dataSource.CreateCommand("""
            SELECT id, endpoint, topic, partition, record_offset, key, event_id, event_type, error_type, error_message, stack_trace, failed_at, status, body,
              CASE WHEN status IN ('parked', 'redriving') THEN (SELECT count(*) FROM parked_records p WHERE p.endpoint = d.endpoint AND p.key_digest = d.key_digest) ELSE 0 END
            FROM dead_letters d WHERE ($1::uuid IS NULL OR id < $1) AND ($3::text IS NULL OR status = $3) ORDER BY id DESC LIMIT $2
            """);
        command.Parameters.Add(SqlParameter.Of(after, NpgsqlDbType.Uuid));
        command.Parameters.Add(SqlParameter.Of(limit + 1));
        command.Parameters.Add(SqlParameter.Of(status, NpgsqlDbType.Text));
        var items = new List<DeadLetterView>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            items.Add(Read(reader));
        return TypedResults.Ok(items.ToPage(limit, item => item.Id.ToString()));
    }

    private static async Task<Accepted<RedriveView>> BeginRedriveAsync(
        RedriveSelection selection, HttpRequest request, NpgsqlDataSource dataSource, TimeProvider time, CancellationToken cancellationToken)
    {
        var redrive = await Redrives.BeginAsync(dataSource, selection, time.GetUtcNow(), cancellationToken);
        // a path may end with a slash
        return TypedResults.Accepted($"{request.Path.ToString().TrimEnd('/')}s/{redrive.Id}", redrive);
    }

    private static async Task<Results<Ok<RedriveView>, ProblemHttpResult>> FindRedriveAsync(Guid id, NpgsqlDataSource dataSource, CancellationToken cancellationToken) =>
        await Redrives.FindAsync(dataSource, id, cancellationToken) is { } redrive
            ? TypedResults.Ok(redrive)
            : TypedResults.Problem("There is no such redrive", statusCode: StatusCodes.Status404NotFound);

    private static async Task<Results<NoContent, ProblemHttpResult>> EndAsync(Guid id, Redriving redriving, bool discard, CancellationToken cancellationToken) =>
        await redriving.RedriveAsync(id, discard, cancellationToken) switch
        {
            RedriveOutcome.Done => TypedResults.NoContent(),
            RedriveOutcome.NotFound => TypedResults.Problem("There is no such dead letter", statusCode: StatusCodes.Status404NotFound),
            RedriveOutcome.Unreadable => TypedResults.Problem("It stands for records that no client can read, at the offsets that its error names: there is nothing to handle again. Discard it when what they said is known otherwise",
                statusCode: StatusCodes.Status409Conflict),
            RedriveOutcome.AlreadyEnded => TypedResults.Problem("It was redriven or discarded before", statusCode: StatusCodes.Status409Conflict),
            _ => TypedResults.Problem("It, or a record parked behind it, failed again and stays a dead letter", statusCode: StatusCodes.Status409Conflict),
        };

    private static DeadLetterView Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4), reader.GetString(5),
        reader.ValueOrNull<Guid>(6), reader.TextOrNull(7),
        $"{reader.GetString(8)}: {reader.GetString(9)}", reader.GetString(10), reader.GetFieldValue<DateTimeOffset>(11), reader.GetString(12),
        reader.BytesOrNull(13) is { } body ? StoredPayload.Read(body) : null, reader.GetInt64(14));
}
