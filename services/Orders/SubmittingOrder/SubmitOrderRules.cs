using System.Text.RegularExpressions;
using Shop.ServiceDefaults;

namespace Shop.Orders.SubmittingOrder;

/// <summary>Decides whether a submission is well formed, before anything is looked up; finds everything that is wrong at once.</summary>
public static partial class SubmitOrderRules
{
    /// <summary>The most lines of an order.</summary>
    public const int MaxLines = 50;

    /// <summary>The most pieces of a line.</summary>
    public const int MaxQuantity = 1000;

    private const int MaxSkuLength = 64;

    /// <summary>Adds to <paramref name="errors"/> what is wrong with the key and the body.</summary>
    /// <param name="idempotencyKeys">The header's values, of which there must be one.</param>
    /// <param name="order">The body.</param>
    /// <param name="errors">Takes what is wrong, by field.</param>
    public static void Check(IReadOnlyList<string?> idempotencyKeys, SubmitOrder order, ValidationErrors errors)
    {
        var idempotencyKey = idempotencyKeys.Count == 0 ? null : idempotencyKeys[0];
        if (string.IsNullOrEmpty(idempotencyKey))
            errors.Add(IdempotencyKeyHeader.Name, "Is missing: choose a new value for each order, and repeat it when you try the same order again.");
        else if (idempotencyKeys.Count > 1)
            errors.Add(IdempotencyKeyHeader.Name, "Must be there once.");
        else
            errors.CheckIdempotencyKey(idempotencyKey);
        CheckLines(order.Lines, errors);
        if (!PaymentToken().IsMatch(order.Payment.Token))
            errors.Add("payment.token", "Must be a token of the payment provider: tok_ and up to 60 letters, digits and underscores.");
        CheckText("shipTo.name", order.ShipTo.Name, 200, errors);
        CheckText("shipTo.street", order.ShipTo.Street, 200, errors);
        CheckText("shipTo.city", order.ShipTo.City, 100, errors);
        CheckText("shipTo.postalCode", order.ShipTo.PostalCode, 20, errors);
        if (!Countries.Contains(order.ShipTo.Country))
            errors.Add("shipTo.country", "Must be an ISO 3166-1 alpha-2 code, for example DE.");
        if (order.ExpectedTotal is { } expected)
        {
            if (expected.Amount < 0 || decimal.Round(expected.Amount, 2) != expected.Amount)
                errors.Add("expectedTotal.amount", "Must not be negative, nor have more than two decimals.");
            if (!Currency().IsMatch(expected.Currency))
                errors.Add("expectedTotal.currency", "Must be an ISO 4217 code, for example EUR.");
        }
    }

    private static void CheckLines(IReadOnlyList<SubmitLine?> lines, ValidationErrors errors)
    {
        if (lines.Count is 0 or > MaxLines)
        {
            errors.Add("lines", $"Must be 1 to {MaxLines}.");
            return;
        }
        var firstLineOf = new Dictionary<string, int>(lines.Count, StringComparer.Ordinal);
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i] is not { } line)
            {
                errors.Add($"lines[{i}]", "Must not be null.");
                continue;
            }
            if (line.Sku.Length is 0 or > MaxSkuLength)
                errors.Add($"lines[{i}].sku", $"Must be 1 to {MaxSkuLength} characters.");
            // refused rather than added up: the answer's lines are the request's lines, and the limit is a line's
            else if (!firstLineOf.TryAdd(line.Sku, i))
                errors.Add($"lines[{i}].sku", $"Is already on lines[{firstLineOf[line.Sku]}]: order each product once.");
            if (line.Quantity is < 1 or > MaxQuantity)
                errors.Add($"lines[{i}].quantity", $"Must be 1 to {MaxQuantity}.");
        }
    }

    private static void CheckText(string field, string text, int maxLength, ValidationErrors errors)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > maxLength || text.Any(char.IsControl))
            errors.Add(field, $"Must be 1 to {maxLength} characters, without control characters.");
    }

    [GeneratedRegex(@"\Atok_[A-Za-z0-9_]{1,60}\z")]
    private static partial Regex PaymentToken();

    [GeneratedRegex(@"\A[A-Z]{3}\z")]
    private static partial Regex Currency();
}
