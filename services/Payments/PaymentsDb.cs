using Microsoft.EntityFrameworkCore;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Payments;

/// <summary>The database of Payments.</summary>
public sealed class PaymentsDb(DbContextOptions<PaymentsDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    /// <summary>The payments. To change one, load it with a row lock: it is shared by the consumer and the workers of all instances.</summary>
    public DbSet<Payment> Payments => Set<Payment>();

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
            payment.HasStorageParameter("fillfactor", 70).HasKey(p => p.PaymentId);
            // lets the consumer find tracked payments by their order
            payment.HasAlternateKey(p => p.OrderId);
            payment.Ignore(p => p.Money);
            payment.Property(p => p.State).HasConversion(state => NameOf(state), text => Enum.Parse<PaymentState>(text, true));
            payment.Property(p => p.Version).IsConcurrencyToken();
            // small at any time: what has ended is not in it
            payment.HasIndex(p => p.DueAt, "payments_due").HasFilter("due_at IS NOT NULL");
        });
    }

    private static string NameOf(PaymentState state) => state.ToString().ToLowerInvariant();

    private static string Quoted(IEnumerable<PaymentState> states) => string.Join(", ", states.Select(state => $"'{NameOf(state)}'"));
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class PaymentsDbFactory : DesignTimeDbContextFactory<PaymentsDb>;
