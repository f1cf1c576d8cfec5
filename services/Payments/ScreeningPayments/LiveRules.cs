using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Shop.Payments.ScreeningPayments;

/// <summary>Rules that decide.</summary>
/// <param name="Version">Their version.</param>
/// <param name="Rules">Their settings.</param>
public sealed record VersionedRules(int Version, RuleSet Rules)
{
    /// <summary>What decides by them.</summary>
    public Screener Screener { get; } = new(Rules);
}

/// <summary>
/// The rules that are in force: version 0 is the section <c>Screening</c> of the configuration, and what operators have set since are rows of
/// <c>screening_rules</c>, which every transaction looks for: a change takes effect everywhere with the next batch.
/// </summary>
public sealed class LiveRules(IOptions<RuleSet> configured)
{
    private volatile VersionedRules _live = new(0, configured.Value);
    /// <summary>The rules in force now.</summary>
    public async Task<VersionedRules> CurrentAsync(PaymentsDb db, CancellationToken cancellationToken)
    {
        var newest = await db.ScreeningRules.MaxAsync(rules => (int?)rules.Version, cancellationToken) ?? 0;
        if (newest != _live.Version)
            _live = await LoadAsync(db, newest, cancellationToken);
        return _live;
    }

    private static async Task<VersionedRules> LoadAsync(PaymentsDb db, int version, CancellationToken cancellationToken)
    {
        var stored = await db.ScreeningRules.AsNoTracking().SingleAsync(rules => rules.Version == version, cancellationToken);
        return new(version, JsonSerializer.Deserialize(stored.Rules, PaymentsJson.Default.RuleSet)!);
    }
}

/// <summary>Rules that an operator has set, for ever kept with who did and when.</summary>
public sealed class StoredRules
{
    /// <summary>Counts sets of rules.</summary>
    public required int Version { get; init; }

    /// <summary>The rules, as JSON.</summary>
    public required string Rules { get; init; }

    /// <summary>When they were set.</summary>
    public required DateTimeOffset SetAt { get; init; }

    /// <summary>Who set them.</summary>
    public required string SetBy { get; init; }
}
