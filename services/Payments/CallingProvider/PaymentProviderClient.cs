using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.ServiceDefaults;

namespace Shop.Payments.CallingProvider;

/// <summary>The provider's HTTP API; its README describes it. Every call can be repeated: the payment's id is the idempotency key.</summary>
internal sealed class PaymentProviderClient(IHttpClientFactory clients, PaymentTokenOpener tokens)
{
    /// <summary>The name of its <see cref="HttpClient"/>.</summary>
    public const string Name = "payment-provider";

    /// <summary>Reasons are for people to read; the provider's text is not trusted to be short.</summary>
    private const int MaxReasonLength = 200;

    /// <summary>In place of a reason with a card's number, which is not for shoppers, logs or topics to have.</summary>
    private const string Unspeakable = "refused";

    /// <summary>Of at most 300 bytes each, so that they fit into an answer.</summary>
    private const int LedgerPageSize = 200;

    /// <summary>Makes the call that <paramref name="payment"/>'s state asks for.</summary>
    /// <exception cref="HttpRequestException">No answer, or none that tells what became of the payment: it is to be asked again.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The token was not sealed for this payment, or not for our key.</exception>
    /// <exception cref="JsonException">The answer is not what the API promises.</exception>
    /// <exception cref="OperationCanceledException">No answer in time, or cancelled.</exception>
    public async Task<ProviderAnswer> CallAsync(Payment payment, CancellationToken cancellationToken)
    {
        // from the factory for each call, so that it can follow the provider's address
        using var client = clients.CreateClient(Name);
        using var request = Request(payment);
        using var response = await client.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
            return await ReadAsync(response, cancellationToken);
        if (response.StatusCode == HttpStatusCode.Conflict && payment.State != PaymentState.Authorizing)
        {
            // the payment is not where we thought: the provider knows where
            using var current = await client.GetAsync($"v1/payments/{payment.PaymentId}", cancellationToken);
            return await ReadAsync(current.EnsureSuccessStatusCode(), cancellationToken);
        }
        if (IsRefusal(response.StatusCode))
            return new(payment.State == PaymentState.Authorizing ? ProviderStatus.Declined : ProviderStatus.Refused, await ReasonAsync(response, cancellationToken));
        throw new HttpRequestException($"The provider answered {(int)response.StatusCode}", null, response.StatusCode);
    }

    /// <summary>The entries of the provider's ledger that come after <paramref name="after"/>, some of them.</summary>
    /// <exception cref="Exception">None, see <see cref="IsNoAnswer"/>.</exception>
    public async Task<LedgerPage> ReadLedgerAsync(long after, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(Name);
        var page = await client.GetFromJsonAsync($"v1/ledger?after={after}&limit={LedgerPageSize}", ProviderJson.Default.LedgerPage, cancellationToken);
        // what an answer leaves out is null, whatever its type says
        if (page is not { Items: { } items } || items.Any(entry => entry is not { Kind: not null }))
            throw new JsonException("The provider's ledger is not what its API promises");
        return page;
    }

    /// <summary>Whether a call has failed since the provider did not answer, in time or as its API promises.</summary>
    public static bool IsNoAnswer(Exception e) => e is HttpRequestException or JsonException or OperationCanceledException or Polly.ExecutionRejectedException
        // of an answer in an encoding that there is not
        or InvalidOperationException;

    private HttpRequestMessage Request(Payment payment)
    {
        var action = payment.State switch
        {
            PaymentState.Authorizing => null,
            PaymentState.Capturing => "capture",
            PaymentState.Voiding => "void",
            PaymentState.Refunding => "refund",
            _ => throw new ArgumentException($"There is nothing to call for in state {payment.State}", nameof(payment)),
        };
        if (action is not null)
            return new(HttpMethod.Post, $"v1/payments/{payment.PaymentId}/{action}");
        return new(HttpMethod.Post, "v1/payments")
        {
            Headers = { { "Idempotency-Key", payment.PaymentId.ToString() } },
            Content = JsonContent.Create(
                new AuthorizationBody(payment.Amount, payment.Currency, tokens.Open(payment.PaymentId, payment.Token!), payment.OrderId.ToString()), ProviderJson.Default.AuthorizationBody),
        };
    }

    /// <summary>Whether a 4xx is about this payment. The others are about our address, our credentials or the moment: declining every payment for them would be wrong.</summary>
    private static bool IsRefusal(HttpStatusCode status) => (int)status is >= 400 and < 500 && status is not
        (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
        or HttpStatusCode.ProxyAuthenticationRequired or HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests);

    private static async Task<ProviderAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var answer = await response.Content.ReadFromJsonAsync(ProviderJson.Default.ProviderAnswer, cancellationToken)
            ?? throw new JsonException("The provider's answer is null");
        return answer with { DeclineReason = Readable(answer.DeclineReason) };
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync(ProviderJson.Default.ProblemBody, cancellationToken);
            var fields = problem?.Errors is { Count: > 0 } errors ? $" ({string.Join(", ", errors.Keys)})" : "";
            if ((problem?.Detail ?? problem?.Title) is { } text)
                return Readable(text + fields);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // refused all the same, without a readable reason
        }
        return $"refused with {(int)response.StatusCode}";
    }

    /// <summary>The provider's words, in a reason or in an exception, as they may be kept.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Readable(string? text, int mostLetters = MaxReasonLength)
    {
        if (text is null)
            return null;
        if (CardNumbers.IsIn(text))
            return Unspeakable;
        return string.Concat(StorableText.Of(text, mostLetters).Select(letter => char.IsControl(letter) ? ' ' : letter));
    }
}

internal sealed record AuthorizationBody(decimal Amount, string Currency, string Token, string Reference);

internal sealed record LedgerPage(IReadOnlyList<LedgerEntry> Items, long? Next);

internal sealed record LedgerEntry(long Sequence, Guid PaymentId, string Kind, decimal? Amount, string? Currency, DateTimeOffset At);

internal sealed record ProblemBody(string? Title, string? Detail, Dictionary<string, string[]>? Errors);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AuthorizationBody))]
[JsonSerializable(typeof(ProviderAnswer))]
[JsonSerializable(typeof(LedgerPage))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ProviderJson : JsonSerializerContext;
