using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging;
using Shop.Messaging.Schema;

namespace Shop.Testing;

/// <summary>The migration of a context that only tests have: its databases are always new.</summary>
public static class ModelCreation
{
    /// <summary>Creates everything that the context's model has.</summary>
    public static void CreateModel<TDbContext>(this MigrationBuilder migrationBuilder) where TDbContext : MessagingDbContext
    {
        using var db = new Factory<TDbContext>().CreateDbContext([]);
        var model = db.GetService<IDesignTimeModel>().Model.GetRelationalModel();
        migrationBuilder.Operations.AddRange(db.GetService<IMigrationsModelDiffer>().GetDifferences(null, model));
    }

    private sealed class Factory<TDbContext> : DesignTimeDbContextFactory<TDbContext> where TDbContext : MessagingDbContext;
}
