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

/// <summary>The rules that look at a payment.</summary>
/// <param name="Live">Those that decide.</param>
/// <param name="Shadow">Those that are tried out beside them, if any.</param>
public sealed record CurrentRules(VersionedRules Live, VersionedRules? Shadow);

/// <summary>
/// The rules that are in force: version 0 is the section <c>Screening</c> of the configuration, and what operators have set since are rows of
/// <c>screening_rules</c>, those that are tried out of <c>shadow_rules</c>. Every transaction looks for them: a change takes effect everywhere with the
/// next batch. What this instance cannot read, since one of another version has set it, decides nothing here: those before stay in force, and none are tried out.
/// </summary>
public sealed partial class LiveRules(IOptions<RuleSet> configured, ILogger<LiveRules> logger)
{
    // one reference: lanes look side by side, and what one has seen must not be taken for what another keeps
    private volatile Known _known = new(new(0, null), new(new(0, configured.Value), null));

    /// <summary>The rules in force now.</summary>
    public async Task<CurrentRules> CurrentAsync(PaymentsDb db, CancellationToken cancellationToken)
    {
        var newest = await db.Database.SqlQuery<Newest>($"""
            SELECT coalesce((SELECT max(version) FROM screening_rules), 0) AS live, (SELECT max(version) FROM shadow_rules WHERE ended_at IS NULL) AS shadow
            """).SingleAsync(cancellationToken);
        var (seen, current) = _known;
        if (newest.Live != seen.Live)
        {
            var rules = await db.ScreeningRules.Where(rules => rules.Version == newest.Live).Select(rules => rules.Rules).SingleAsync(cancellationToken);
            current = current with { Live = Of("live", newest.Live, rules) ?? current.Live };
        }
        if (newest.Shadow != seen.Shadow)
        {
            current = current with
            {
                Shadow = newest.Shadow is { } version
                    ? Of("shadow", version, await db.ShadowRules.Where(rules => rules.Version == version).Select(rules => rules.Rules).SingleAsync(cancellationToken)) : null,
            };
        }
        _known = new(newest, current);
        return current;
    }

    private VersionedRules? Of(string kind, int version, string rules)
    {
        try
        {
            return new(version, StoredRuleSet.Read(rules));
        }
        catch (JsonException e)
        {
            RulesUnreadable(logger, kind, version, e.Message);
            return null;
        }
    }

    [LoggerMessage(EventName = "ScreeningRulesUnreadable", Level = LogLevel.Error, Message = "Version {Version} of the {Kind} screening rules cannot be read here, and those before stay in force: {Reason}")]
    private static partial void RulesUnreadable(ILogger logger, string kind, int version, string reason);

    private sealed record Newest(int Live, int? Shadow);

    /// <summary>What decides, and the versions that were looked at for it: one that cannot be read is not looked at again.</summary>
    private sealed record Known(Newest Seen, CurrentRules Current);
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
