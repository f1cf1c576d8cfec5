using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Shop.Contracts;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;
using Shop.Payments.ReconcilingPayments;
using Shop.Payments.ReviewingPayments;
using Shop.Payments.ScreeningPayments;
using Shop.Payments.TryingRules;

namespace Shop.Payments;

/// <summary>The database of Payments.</summary>
public sealed class PaymentsDb(DbContextOptions<PaymentsDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    /// <summary>The payments. To change one, load it with a row lock: it is shared by the consumer and the workers of all instances.</summary>
    public DbSet<Payment> Payments => Set<Payment>();

    /// <summary>Operators' decisions about held payments.</summary>
    public DbSet<Review> Reviews => Set<Review>();

    /// <summary>The rules that operators have set.</summary>
    public DbSet<StoredRules> ScreeningRules => Set<StoredRules>();

    /// <summary>The rules that operators try out.</summary>
    public DbSet<ShadowRules> ShadowRules => Set<ShadowRules>();

    /// <summary>How the rules that are tried out decide.</summary>
    public DbSet<ShadowDecisionCount> ShadowDecisionCounts => Set<ShadowDecisionCount>();

    /// <summary>How often they fire.</summary>
    public DbSet<ShadowRuleCount> ShadowRuleCounts => Set<ShadowRuleCount>();

    /// <summary>Payments they decide otherwise about.</summary>
    public DbSet<ShadowExample> ShadowExamples => Set<ShadowExample>();

    /// <summary>Trials of rules over the payments of the past.</summary>
    public DbSet<RuleReplay> RuleReplays => Set<RuleReplay>();

    /// <summary>The provider's ledger, payment by payment.</summary>
    public DbSet<LedgerPayment> LedgerPayments => Set<LedgerPayment>();

    /// <summary>Payments that are not at the provider as they are here.</summary>
    public DbSet<PaymentDifference> PaymentDifferences => Set<PaymentDifference>();

    /// <summary>What the current transaction finds out about the rules that are tried out.</summary>
    public ShadowFindings ShadowFindings => field ??= new(this);

    /// <summary>
    /// The payments that were loaded. <see cref="DbSet{TEntity}.Local"/> is asked for once: each time it looks through all of them for changes, which for each
    /// payment of a batch takes longer than all that is done with it.
    /// </summary>
    private LocalView<Payment> Loaded => field ??= Payments.Local;

    /// <summary>What screening remembers, for the current transaction.</summary>
    public StoredHistories Histories => field ??= new(this);

    /// <summary>The payment, where it was loaded.</summary>
    public Payment? FindLoaded(Guid paymentId) => Loaded.FindEntry(paymentId)?.Entity;

    /// <summary>The order's payment, where it was loaded.</summary>
    public Payment? FindLoadedOf(Guid orderId) => Loaded.FindEntry(nameof(Payment.OrderId), orderId)?.Entity;

    /// <inheritdoc/>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        await Histories.WriteAsync(cancellationToken);
        await ShadowFindings.WriteAsync(cancellationToken);
        return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Payment>(payment =>
        {
            payment.ToTable("payments", table =>
            {
                table.HasCheckConstraint("payments_state_check", $"state IN ({Quoted(Enum.GetValues<PaymentState>())})");
                table.HasCheckConstraint("payments_check", $"(due_at IS NOT NULL) = (state IN ({Quoted(Enum.GetValues<PaymentState>().Where(PaymentDecider.NeedsProvider))}))");
            });
            // a payment is updated a few times in its first second: the room in its page keeps that from touching more pages
            payment.SaveInSets().HasStorageParameter("fillfactor", 70).HasKey(p => p.PaymentId);
            // lets the consumer find tracked payments by their order
            payment.HasAlternateKey(p => p.OrderId);
            payment.Ignore(p => p.Money).Ignore(p => p.HistoryKeys);
            // immutable: comparing references is enough
            payment.Property(p => p.Rules).HasColumnType("jsonb").HasDefaultValueSql("'[]'").ValueGeneratedNever().HasConversion(
                rules => JsonSerializer.Serialize(rules, PaymentsJson.Default.IReadOnlyListFiredRule),
                text => JsonSerializer.Deserialize(text, PaymentsJson.Default.IReadOnlyListFiredRule)!,
                new ValueComparer<IReadOnlyList<FiredRule>>((left, right) => ReferenceEquals(left, right), rules => rules.GetHashCode(), rules => rules));
            payment.HasIndex(p => p.PaymentId, "payments_held").HasFilter($"state = '{NameOf(PaymentState.Held)}'");
            payment.Property(p => p.State).HasConversion(state => NameOf(state), text => Enum.Parse<PaymentState>(text, true));
            payment.Property(p => p.Version).IsConcurrencyToken();
            // small at any time: what has ended is not in it
            payment.HasIndex(p => p.DueAt, "payments_due").HasFilter("due_at IS NOT NULL");
        });
        modelBuilder.Entity<Review>().ToTable("reviews").HasKey(review => review.PaymentId);
        modelBuilder.Entity<StoredRules>(rules =>
        {
            rules.ToTable("screening_rules").HasKey(r => r.Version);
            rules.Property(r => r.Version).ValueGeneratedNever();
            rules.Property(r => r.Rules).HasColumnType("jsonb");
        });
        modelBuilder.Entity<ShadowRules>(rules =>
        {
            rules.ToTable("shadow_rules").HasKey(r => r.Version);
            rules.Property(r => r.Version).ValueGeneratedNever();
            rules.Property(r => r.Rules).HasColumnType("jsonb");
            rules.HasIndex(r => r.Version, "shadow_rules_current").HasFilter("ended_at IS NULL");
        });
        modelBuilder.Entity<ShadowDecisionCount>().ToTable("shadow_decision_counts").HasKey(count => new { count.Version, count.Partition, count.Live, count.Shadow });
        modelBuilder.Entity<ShadowRuleCount>().ToTable("shadow_rule_counts").HasKey(count => new { count.Version, count.Partition, count.Rule });
        modelBuilder.Entity<ShadowExample>(example =>
        {
            example.ToTable("shadow_examples").HasKey(e => new { e.Version, e.PaymentId });
            example.Property(e => e.Decision).HasColumnType("jsonb");
            example.HasIndex(e => new { e.Version, e.Kind }, "shadow_examples_kind");
        });
        modelBuilder.Entity<RuleReplay>(replay =>
        {
            replay.ToTable("rule_replays").HasKey(r => r.Id);
            replay.Property(r => r.Id).ValueGeneratedNever();
            replay.Property(r => r.Rules).HasColumnType("jsonb");
            replay.Property(r => r.Report).HasColumnType("jsonb");
            // one at a time
            replay.Property<bool>("UnderWay").HasComputedColumnSql("ended_at IS NULL", stored: true);
            replay.HasIndex(["UnderWay"], "rule_replays_under_way").IsUnique().HasFilter("under_way");
        });
        modelBuilder.Entity<LedgerPayment>().ToTable("ledger_payments").HasKey(payment => payment.PaymentId);
        modelBuilder.Entity<LedgerPosition>().ToTable("ledger_position").Property(position => position.Id).ValueGeneratedNever();
        modelBuilder.Entity<PaymentDifference>(difference =>
        {
            difference.ToTable("payment_differences").HasKey(d => d.AlarmId);
            difference.HasIndex(d => d.PaymentId, "payment_differences_open").HasFilter("cleared_at IS NULL").IsUnique();
        });
        modelBuilder.Entity<ScreeningHistoryTable>(history =>
        {
            // rewritten again and again, and no index but the key's: the room keeps a row's next version in its page
            history.ToTable("screening_histories").HasStorageParameter("fillfactor", 60).HasKey(h => h.Key);
        });
    }

    /// <summary>Written and read by <see cref="StoredHistories"/>.</summary>
    private sealed record ScreeningHistoryTable(Guid Key, byte[] State, int Version, DateTimeOffset LastAt);

    private static string NameOf(PaymentState state) => state.ToString().ToLowerInvariant();

    private static string Quoted(IEnumerable<PaymentState> states) => string.Join(", ", states.Select(state => $"'{NameOf(state)}'"));
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class PaymentsDbFactory : DesignTimeDbContextFactory<PaymentsDb>;
