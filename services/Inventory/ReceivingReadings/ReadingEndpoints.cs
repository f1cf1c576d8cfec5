using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Shop.Inventory.Sensors;
using Shop.Messaging.Streams;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Inventory.ReceivingReadings;

/// <summary>A reading that was not taken.</summary>
/// <param name="Index">Its place in the array, from 0.</param>
/// <param name="Reason">What is wrong with it.</param>
internal sealed record RefusedReading(int Index, string Reason);

/// <summary>What became of the readings.</summary>
/// <param name="Accepted">How many are on their topic.</param>
/// <param name="Refused">The others; to send them again is of no use.</param>
internal sealed record ReadingsAnswer(int Accepted, IReadOnlyList<RefusedReading> Refused);

/// <summary><c>POST /api/devices/{sensor}/readings</c>: what a device measures, straight to the topic <c>sensor-readings</c>.</summary>
internal static class ReadingEndpoints
{
    private const int MaxReadings = 1000;
    private const string KeyHeader = "X-Device-Key", RetryAfterSeconds = "2";

    public static void MapReceivingReadings(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/devices/{sensor}/readings", PostAsync).AllowAnonymous()
            .WithSummary($"Up to 1,000 readings of the sensor whose {KeyHeader} it is. 503: nothing is lost by sending all of them again.")
            .WithRequestExample("""[{"at":"2026-11-26T10:00:00Z","weightGrams":12345}]""")
            .WithRequestHeader(KeyHeader, "The sensor's key, which its registration gave.", isRequired: true)
            .WithProblem(StatusCodes.Status401Unauthorized, "The key is missing, or is not this sensor's.")
            .WithProblem(StatusCodes.Status503ServiceUnavailable, "The broker is away and the readings are not taken, or not surely: keep them, and send all of them again.");

    private static async Task<Results<Accepted<ReadingsAnswer>, ValidationProblem, ProblemHttpResult>> PostAsync(
        string sensor, [FromHeader(Name = KeyHeader)] string? key, JsonElement body, SensorDirectory sensors, EventStream stream, TimeProvider time,
        HttpResponse response, CancellationToken cancellationToken)
    {
        // one answer for all of it: whether there is such a sensor is not told to those without its key
        if (string.IsNullOrEmpty(key) || await sensors.FindAsync(sensor, cancellationToken) is not { } known || !DeviceKeys.Matches(key, known.KeyDigest))
            return TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, detail: $"{KeyHeader} is missing, or is not the key of this sensor.");
        if (body.ValueKind != JsonValueKind.Array || body.GetArrayLength() is < 1 or > MaxReadings)
        {
            var errors = new ValidationErrors();
            errors.Add("body", $"Must be an array of 1 to {MaxReadings} readings.");
            return errors.ToProblem();
        }

        var now = time.GetUtcNow();
        var events = new List<object>(body.GetArrayLength());
        var refused = new List<RefusedReading>();
        var index = 0;
        foreach (var item in body.EnumerateArray())
        {
            var (reading, reason) = ReadingParser.Read(sensor, known.Kind, item, now);
            if (reading is not null)
                events.Add(reading);
            else
                refused.Add(new(index, reason!));
            index++;
        }
        try
        {
            await stream.PublishAsync(events);
        }
        catch (EventsNotTakenException)
        {
            response.Headers.RetryAfter = RetryAfterSeconds;
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, detail: "Readings cannot be taken at the moment: keep them and send them again.");
        }
        return TypedResults.Accepted((string?)null, new ReadingsAnswer(events.Count, refused));
    }
}
