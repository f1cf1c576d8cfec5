using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace Shop.Messaging.Schema;

/// <summary>
/// Names keys as PostgreSQL itself does where it is not told a name, such as <c>orders_pkey</c>, which is what people and error handlers
/// expect; and leaves an index the name that the model gives it.
/// </summary>
internal sealed class PostgresNames : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entity in modelBuilder.Metadata.GetEntityTypes())
        {
            if (StoreObjectIdentifier.Create(entity, StoreObjectType.Table) is not { } table)
                continue;
            foreach (var key in entity.GetDeclaredKeys())
                key.Builder.HasName(key.IsPrimaryKey() ? $"{table.Name}_pkey" : $"{table.Name}_{Columns(key.Properties, table)}_key");
            foreach (var foreignKey in entity.GetDeclaredForeignKeys())
                foreignKey.Builder.HasConstraintName($"{table.Name}_{Columns(foreignKey.Properties, table)}_fkey");
            foreach (var index in entity.GetDeclaredIndexes().Where(index => index.Name is not null))
                index.Builder.HasDatabaseName(index.Name);
        }
    }

    private static string Columns(IEnumerable<IConventionProperty> properties, StoreObjectIdentifier table) =>
        string.Join('_', properties.Select(property => property.GetColumnName(table)));
}
