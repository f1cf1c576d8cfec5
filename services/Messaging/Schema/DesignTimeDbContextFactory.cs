using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Shop.Messaging.Schema;

/// <summary>Gives <c>dotnet ef</c> a service's model without its host, which would want a broker's address and keys for tokens.</summary>
/// <typeparam name="TDbContext">The service's database.</typeparam>
public abstract class DesignTimeDbContextFactory<TDbContext> : IDesignTimeDbContextFactory<TDbContext> where TDbContext : MessagingDbContext
{
    /// <summary>A context that has no database, unless <c>dotnet ef</c> is told one by <c>--connection</c>.</summary>
    public TDbContext CreateDbContext(string[] args) => (TDbContext)Activator.CreateInstance(
        typeof(TDbContext), new DbContextOptionsBuilder<TDbContext>().UseNpgsql().UseSnakeCaseNamingConvention().Options, null)!;
}
