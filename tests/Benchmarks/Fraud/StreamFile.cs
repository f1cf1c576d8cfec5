using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Payments.ScreeningPayments;

namespace Shop.Benchmarks.Fraud;

/// <summary>Reads labelled streams and writes decisions, as JSON Lines.</summary>
internal static class StreamFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = false,
    };

    /// <summary>Reads a stream.</summary>
    /// <exception cref="InvalidOperationException">A line is no payment, or is before the one above it; the message says which and why.</exception>
    public static IReadOnlyList<LabelledPayment> Read(string path)
    {
        var payments = new List<LabelledPayment>();
        var number = 0;
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                    continue;
                var payment = JsonSerializer.Deserialize<LabelledPayment>(line, Json) ?? throw new JsonException("it is null");
                if (payment is { ShopperId: null } or { Card: null } or { Currency: null } or { Label: null })
                    throw new JsonException("shopperId, card, currency and label are needed");
                if (payments.Count > 0 && payment.At < payments[^1].At)
                    throw new JsonException("it is earlier than the line before it");
                payments.Add(payment);
            }
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"{path}, line {number}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(e.Message, e);
        }
        return payments;
    }

    /// <summary>Writes a line for each decision, in the order of the payments.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Assessment> assessments)
    {
        try
        {
            File.WriteAllLines(path, assessments.Select(assessment =>
                JsonSerializer.Serialize(new { decision = assessment.Verdict, assessment.Score, assessment.Rules }, Json)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }
}
