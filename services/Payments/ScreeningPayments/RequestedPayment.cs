using System.Security.Cryptography;
using Shop.Contracts;

namespace Shop.Payments.ScreeningPayments;

/// <summary>Reads out of a request what screening may look at.</summary>
internal static class RequestedPayment
{
    /// <summary>Requests from before orders told when their shopper first ordered: such a shopper is not taken for a new one.</summary>
    private static readonly TimeSpan Unknown = TimeSpan.FromDays(365);

    /// <summary>The facts of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="at">When it was published.</param>
    /// <param name="card">Its card, see <see cref="CardOf"/>.</param>
    public static PaymentFacts FactsOf(PaymentRequested request, DateTimeOffset at, string card) => new(
        request.PaymentId, at, request.ShopperId, card, request.DeviceId, request.AddressHash, request.Country,
        request.Amount.Amount, request.Amount.Currency, request.FirstOrderedAt ?? at - Unknown);

    /// <summary>A token of three parts names a card, as <c>tok_visa_4f9a</c> does; any other is the shopper's own card.</summary>
    public static string CardOf(PaymentRequested request, PaymentTokenOpener tokens)
    {
        try
        {
            var token = tokens.Open(request.PaymentId, request.PaymentToken);
            if (token.AsSpan().Count('_') > 1)
                return token;
        }
        catch (CryptographicException)
        {
            // it cannot be paid with either, which the call to the provider finds out
        }
        return $"own card of {request.ShopperId}";
    }
}
