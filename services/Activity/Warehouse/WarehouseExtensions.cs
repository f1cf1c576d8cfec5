using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Activity.Warehouse;

internal static class WarehouseExtensions
{
    /// <summary>Has the warehouse written, where a folder is named for it.</summary>
    public static void AddWarehouse(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<WarehouseOptions>().BindConfiguration("Warehouse").ValidateDataAnnotations().ValidateOnStart();
        if (!string.IsNullOrEmpty(builder.Configuration["Warehouse:Directory"]))
        {
            builder.Services.AddSingleton<WarehouseHealth>().AddWorker<WarehouseWriter>("warehouse");
            builder.Services.AddHealthChecks().AddCheck<WarehouseHealth>("warehouse", tags: [HealthEndpoints.ReadyTag]);
        }
    }
}
