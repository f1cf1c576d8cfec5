using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Shop.Messaging.Sagas;

/// <summary>Loads saga instances into the DbContext, locked in the order of their ids so that two batches never wait for each other in a circle.</summary>
internal static class SagaPrefetch
{
    /// <summary>Loads the instances with the given ids; ids without an instance are remembered as looked for.</summary>
    public static async Task LoadAsync<TSaga>(MessagingDbContext db, Guid[] ids, CancellationToken cancellationToken) where TSaga : class, ISaga
    {
        var entity = db.Model.FindEntityType(typeof(TSaga))!;
        var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
        var id = entity.FindProperty(nameof(ISaga.CorrelationId))!.GetColumnName(table);
        var sql = $"SELECT * FROM \"{table.Name}\" WHERE \"{id}\" = ANY({{0}}) ORDER BY \"{id}\" FOR UPDATE";
        await db.Set<TSaga>().FromSqlRaw(sql, ids).LoadAsync(cancellationToken);
        db.PrefetchedSagas.UnionWith(ids);
    }
}
