using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Shop.ServiceDefaults;

namespace Shop.Messaging.Workers;

/// <summary>Adds background work: the one way in which services do any, so that none ever ends without a word.</summary>
public static class WorkerExtensions
{
    /// <summary>Adds a worker that works until the service stops.</summary>
    /// <param name="services">The service's services.</param>
    /// <param name="name">How log, health and metric call it.</param>
    public static IServiceCollection AddWorker<TWorker>(this IServiceCollection services, string name) where TWorker : class, IWorker
    {
        services.TryAddSingleton<TWorker>();
        return services.AddWorker(name, provider => provider.GetRequiredService<TWorker>());
    }

    /// <summary>Adds a worker that works until the service stops.</summary>
    /// <param name="services">The service's services.</param>
    /// <param name="name">How log, health and metric call it.</param>
    /// <param name="create">Makes the worker.</param>
    public static IServiceCollection AddWorker(this IServiceCollection services, string name, Func<IServiceProvider, IWorker> create) =>
        services.AddHealth().AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<WorkerHost>(provider, name, create(provider)));

    /// <summary>Adds a worker that does its work in rounds.</summary>
    /// <param name="services">The service's services.</param>
    /// <param name="name">How log, health and metric call it.</param>
    public static IServiceCollection AddPeriodicWorker<TWorker>(this IServiceCollection services, string name) where TWorker : class, IPeriodicWorker
    {
        services.TryAddSingleton<TWorker>();
        return services.AddPeriodicWorker(name, provider => provider.GetRequiredService<TWorker>());
    }

    /// <summary>Adds a worker that does its work in rounds.</summary>
    /// <param name="services">The service's services.</param>
    /// <param name="name">How log, health and metric call it.</param>
    /// <param name="create">Makes the worker.</param>
    public static IServiceCollection AddPeriodicWorker(this IServiceCollection services, string name, Func<IServiceProvider, IPeriodicWorker> create) =>
        services.AddHealth().AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<PeriodicWorkerHost>(provider, name, create(provider)));

    private static IServiceCollection AddHealth(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(WorkersHealth)))
            return services;
        services.AddSingleton<WorkersHealth>().AddHealthChecks().AddCheck<WorkersHealth>("workers", tags: [HealthEndpoints.ReadyTag]);
        return services;
    }
}
