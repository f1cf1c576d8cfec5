using Microsoft.EntityFrameworkCore;
using Shop.Messaging;
using Shop.Messaging.Outbox;

namespace Shop.Payments;

/// <summary>The database of Payments.</summary>
public sealed class PaymentsDb(DbContextOptions<PaymentsDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    /// <summary>The payments. To change one, load it with a row lock: it is shared by the consumer and the workers of all instances.</summary>
    public DbSet<Payment> Payments => Set<Payment>();

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Payment>(payment =>
    {
        payment.HasKey(p => p.PaymentId);
        // lets the consumer find tracked payments by their order
        payment.HasAlternateKey(p => p.OrderId);
        payment.Ignore(p => p.Money);
        payment.Property(p => p.State).HasConversion(state => state.ToString().ToLowerInvariant(), text => Enum.Parse<PaymentState>(text, true));
        payment.Property(p => p.Version).IsConcurrencyToken();
    });
}
