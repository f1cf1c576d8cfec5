using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.Testing;

/// <summary>How a service's warm-up went, as its readiness tells it.</summary>
public static class WarmUps
{
    /// <summary>Waits for the end of the warm-up of an instance, which has to have gone through.</summary>
    /// <param name="services">The instance's own services.</param>
    /// <exception cref="TimeoutException">It did not end before the deadline, or it failed.</exception>
    public static Task SucceedsAsync(IServiceProvider services) => Eventually.BecomesAsync("Healthy: ", () => ReadinessAsync(services));

    /// <summary>The part of an instance's readiness that is about its warm-up: status and description.</summary>
    public static async Task<string> ReadinessAsync(IServiceProvider services)
    {
        var report = await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "warm-up");
        return string.Join(", ", report.Entries.Values.Select(entry => $"{entry.Status}: {entry.Description}"));
    }
}
