using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Brings a service's database to the service's version.</summary>
internal static class DatabaseMigration
{
    /// <summary>Key of the advisory lock that lets one instance migrate at a time: "shopmigr" in ASCII.</summary>
    private const long MigrationLock = 0x73686f706d696772;

    /// <summary>
    /// Whether the database has every migration: a query of its own, because EF Core's way to find out that there is nothing to do
    /// takes the migrator and two models, which is most of what an ordinary start would do before its service works.
    /// </summary>
    public static async Task<bool> IsCurrentAsync(NpgsqlConnection connection, Type dbContext, CancellationToken cancellationToken)
    {
        var migrations = dbContext.Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == dbContext)
            .Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().ToArray();
        await using var count = new NpgsqlCommand("""SELECT count(*) FROM "__EFMigrationsHistory" WHERE migration_id = ANY($1)""", connection)
        {
            Parameters = { SqlParameter.Of(migrations) },
        };
        try
        {
            return (long)(await count.ExecuteScalarAsync(cancellationToken))! == migrations.Length;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }

    /// <summary>Runs the migrations that the database does not have. Instances that start together do it one after the other.</summary>
    /// <exception cref="InvalidOperationException">The database is older than what can be migrated.</exception>
    public static async Task MigrateAsync(MessagingDbContext db, CancellationToken cancellationToken)
    {
        // an index of a large table takes as long as it takes
        db.Database.SetCommandTimeout(TimeSpan.Zero);
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({MigrationLock})", cancellationToken);
            await AdoptAsync(db, cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
        }
        finally
        {
            if (db.Database.GetDbConnection().State == System.Data.ConnectionState.Open)
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({MigrationLock})", CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Notes migrations as applied to a database that has all of those which they replace; these stay noted, for instances of the version before.</summary>
    private static async Task AdoptAsync(MessagingDbContext db, CancellationToken cancellationToken)
    {
        var applied = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToHashSet();
        foreach (var (id, migration) in db.GetService<IMigrationsAssembly>().Migrations)
        {
            var replaced = migration.GetCustomAttribute<ReplacesAttribute>()?.MigrationIds ?? [];
            if (applied.Contains(id) || !replaced.Any(applied.Contains))
                continue;
            if (replaced.FirstOrDefault(older => !applied.Contains(older)) is { } missing)
                throw new InvalidOperationException($"The database lacks the migration {missing}, which {id} has replaced: start the version before {id} once");
            await db.Database.ExecuteSqlRawAsync(db.GetService<IHistoryRepository>().GetInsertScript(new(id, ProductInfo.GetVersion())), cancellationToken);
        }
    }
}
