using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.TryingRules;

/// <summary>What a transaction finds out about the rules that are tried out: added to the counts before it ends, so they are as exact as its decisions.</summary>
/// <param name="db">The transaction's context.</param>
public sealed class ShadowFindings(PaymentsDb db)
{
    private readonly Dictionary<(int Version, int Partition), RuleComparison> _found = [];

    /// <summary>Adds a payment that both sets of rules have looked at.</summary>
    public void Add(int version, int partition, PaymentFacts facts, Assessment live, Assessment shadow)
    {
        if (!_found.TryGetValue((version, partition), out var comparison))
            _found[(version, partition)] = comparison = new();
        comparison.Add(facts, live, shadow);
    }

    /// <summary>Adds to the counts, in the order of their keys, in the current transaction.</summary>
    internal async Task WriteAsync(CancellationToken cancellationToken)
    {
        if (_found.Count == 0)
            return;
        var found = _found.OrderBy(one => one.Key).ToList();
        var decisions = found.SelectMany(one => one.Value.Decisions.OrderBy(decision => decision.Key).Select(decision => (one.Key, decision.Key.Live, decision.Key.Shadow, Payments: decision.Value))).ToList();
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        batch.BatchCommands.Add(new("""
            INSERT INTO shadow_decision_counts AS c (version, partition, live, shadow, payments) SELECT * FROM unnest($1, $2, $3, $4, $5)
            ON CONFLICT (version, partition, live, shadow) DO UPDATE SET payments = c.payments + excluded.payments
            """)
        {
            Parameters =
            {
                SqlParameter.Column(decisions, NpgsqlDbType.Integer, row => row.Key.Version),
                SqlParameter.Column(decisions, NpgsqlDbType.Integer, row => row.Key.Partition),
                SqlParameter.Column(decisions, NpgsqlDbType.Text, row => row.Live.ToString()),
                SqlParameter.Column(decisions, NpgsqlDbType.Text, row => row.Shadow.ToString()),
                SqlParameter.Column(decisions, NpgsqlDbType.Bigint, row => row.Payments),
            },
        });
        var rules = found.SelectMany(one => one.Value.Rules.OrderBy(rule => rule.Rule, StringComparer.Ordinal).Select(rule => (one.Key, Count: rule))).ToList();
        batch.BatchCommands.Add(new("""
            INSERT INTO shadow_rule_counts AS c (version, partition, rule, live, shadow) SELECT * FROM unnest($1, $2, $3, $4, $5)
            ON CONFLICT (version, partition, rule) DO UPDATE SET live = c.live + excluded.live, shadow = c.shadow + excluded.shadow
            """)
        {
            Parameters =
            {
                SqlParameter.Column(rules, NpgsqlDbType.Integer, row => row.Key.Version),
                SqlParameter.Column(rules, NpgsqlDbType.Integer, row => row.Key.Partition),
                SqlParameter.Column(rules, NpgsqlDbType.Text, row => row.Count.Rule),
                SqlParameter.Column(rules, NpgsqlDbType.Bigint, row => row.Count.Live),
                SqlParameter.Column(rules, NpgsqlDbType.Bigint, row => row.Count.Shadow),
            },
        });
        var examples = found.SelectMany(one => one.Value.Examples.Select(example => (one.Key.Version, Example: example))).ToList();
        batch.BatchCommands.Add(new("""
            INSERT INTO shadow_examples (version, payment_id, kind, decision) SELECT e.* FROM unnest($1, $2, $3, $4) AS e (version, payment_id, kind, decision)
            WHERE (SELECT count(*) FROM shadow_examples s WHERE s.version = e.version AND s.kind = e.kind) < $5
            ON CONFLICT DO NOTHING
            """)
        {
            Parameters =
            {
                SqlParameter.Column(examples, NpgsqlDbType.Integer, row => row.Version),
                SqlParameter.Column(examples, NpgsqlDbType.Uuid, row => row.Example.PaymentId),
                SqlParameter.Column(examples, NpgsqlDbType.Text, row => $"{row.Example.Live.Decision} {row.Example.Shadow.Decision}"),
                SqlParameter.Column(examples, NpgsqlDbType.Jsonb, row => JsonSerializer.Serialize(row.Example, PaymentsJson.Default.DifferentDecision)),
                SqlParameter.Of((long)RuleComparison.MaxExamples),
            },
        });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        _found.Clear();
    }
}
