using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using Shop.Messaging;
using Shop.Messaging.Schema;
using Xunit;

namespace Shop.Testing;

/// <summary>
/// What the migrations of every service have to do. Beside a service's own test class lies <c>before-initial.sql</c>: its database as the
/// hand-written migrations made it which its migration <c>Initial</c> replaces.
/// </summary>
/// <param name="contexts">Makes the service's contexts.</param>
/// <param name="createDatabase">Makes an empty database, and gives its connection string.</param>
public abstract class MigrationTests(IDesignTimeDbContextFactory<MessagingDbContext> contexts, Func<Task<string>> createDatabase)
{
    /// <summary>The schema and the rows of the older database.</summary>
    private static string BeforeInitial => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Migrations", "before-initial.sql"));

    /// <summary>The older rows as a dump tells them without what the database has derived since.</summary>
    protected virtual string WithoutDerived(string rows) => rows;

    /// <summary>The rows of today's database as a dump tells them, without what a migration has added to those that were there.</summary>
    protected virtual string WithoutAdded(string rows) => rows;

    /// <summary>The rows without the column of <c>consumer_offsets</c> that is newer: which record was the last is not known of older rows.</summary>
    private static string WithoutLastRecords(string rows) => Regex.Replace(rows, @"(?<=INSERT INTO public\.consumer_offsets VALUES \([^\n]*), NULL(?=\);)", "");

    [Fact]
    public void Every_change_of_the_model_has_a_migration()
    {
        using var db = contexts.CreateDbContext([]);
        Assert.False(db.Database.HasPendingModelChanges(), "Run: dotnet ef migrations add NAME --project services/SERVICE");
    }

    /// <summary>By which they are counted, each minute.</summary>
    [Fact]
    public void Every_saga_has_an_index_that_begins_with_its_state()
    {
        using var db = contexts.CreateDbContext([]);
        Assert.All(db.Model.GetEntityTypes().Where(entity => entity.ClrType.IsAssignableTo(typeof(MassTransit.ISaga))),
            saga => Assert.Contains(saga.GetIndexes(), index => index.Properties[0].Name == "CurrentState"));
    }

    [Fact]
    public async Task A_database_from_before_Initial_keeps_its_rows_and_becomes_what_a_new_one_is()
    {
        var (older, @new) = (await createDatabase(), await createDatabase());
        await ExecuteAsync(older, BeforeInitial);
        var rows = await PostgresDump.DataAsync(older);

        await MigrateAsync(older);
        await MigrateAsync(@new);

        Assert.Contains("INSERT INTO public.outbox ", rows, StringComparison.Ordinal);
        Assert.Equal(Statements(WithNewColumns(WithoutDerived(rows))), Statements(WithoutAdded(WithoutLastRecords(await PostgresDump.DataAsync(older)))));
        Assert.Equal(await PostgresDump.SchemaAsync(@new), await PostgresDump.SchemaAsync(older));
        Assert.True(await IsCurrentAsync(older));
    }

    [Fact]
    public async Task Instances_that_start_together_migrate_one_after_the_other()
    {
        var database = await createDatabase();
        Assert.False(await IsCurrentAsync(database));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => MigrateAsync(database))));
        Assert.True(await IsCurrentAsync(database));
    }

    [Fact]
    public async Task A_database_that_lacks_what_Initial_replaces_is_left_as_it_is()
    {
        var database = await createDatabase();
        await ExecuteAsync(database, BeforeInitial);
        await ExecuteAsync(database, """
            DELETE FROM public."__EFMigrationsHistory" WHERE migration_id = (SELECT max(migration_id) FROM public."__EFMigrationsHistory")
            """);
        var (schema, rows) = (await PostgresDump.SchemaAsync(database), await PostgresDump.DataAsync(database));

        await Assert.ThrowsAnyAsync<Exception>(() => MigrateAsync(database));

        Assert.Equal(schema, await PostgresDump.SchemaAsync(database));
        Assert.Equal(rows, await PostgresDump.DataAsync(database));
        Assert.False(await IsCurrentAsync(database));
    }

    /// <summary>A dump's statements, sorted: a table comes behind those that it refers to.</summary>
    private static IEnumerable<string> Statements(string dump) => dump.Split(";\n").Order(StringComparer.Ordinal);

    /// <summary>What Messaging's tables have got since, at the end of their rows: <c>discarded</c>, and digests of keys, which are derived.</summary>
    private static string WithNewColumns(string rows) => string.Join('\n', rows.Split('\n').Select(row =>
        row.StartsWith("INSERT INTO public.dead_letters ", StringComparison.Ordinal) ? row.Replace(");", ", false, DEFAULT);", StringComparison.Ordinal)
        : row.StartsWith("INSERT INTO public.parked_records ", StringComparison.Ordinal) || row.StartsWith("INSERT INTO public.refused_events ", StringComparison.Ordinal)
            ? row.Replace(");", ", DEFAULT);", StringComparison.Ordinal)
            : row));

    private async Task MigrateAsync(string database)
    {
        await using var db = contexts.CreateDbContext([]);
        db.Database.SetConnectionString(database);
        await DatabaseMigration.MigrateAsync(db, CancellationToken.None);
    }

    private async Task<bool> IsCurrentAsync(string database)
    {
        await using var db = contexts.CreateDbContext([]);
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        return await DatabaseMigration.IsCurrentAsync(connection, db.GetType(), CancellationToken.None);
    }

    /// <summary>On a session of its own: a dump empties its session's search path.</summary>
    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
