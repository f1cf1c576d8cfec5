using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shop.AppHost.Running;

namespace Shop.AppHost;

internal static class ShopDefaults
{
    /// <summary>
    /// A builder with supervision, an end in order, and a dashboard that anybody on this machine may open, whose telemetry takes and
    /// gives nothing without a key. Its ports are kept with the shop's, so that shops do not meet.
    /// </summary>
    public static IDistributedApplicationBuilder CreateBuilder(ShopSettings shop, string[] args)
    {
        var kept = new KeptValues(shop.Data);
        Default("DOTNET_ENVIRONMENT", "Development");
        // for the dashboard: one heap on a developer's machine, as the parts have it
        Default("DOTNET_gcServer", "0");
        Default("DOTNET_gcConcurrent", "0");
        Default("ASPNETCORE_URLS", $"http://localhost:{kept.Port("dashboard")}");
        if (shop.Dashboard) Default("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", $"http://localhost:{kept.Port("dashboard-telemetry")}");
        Default("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", $"http://localhost:{kept.Port("dashboard-resources")}");
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            // by its former name: the present one is handed on to the dashboard, which then takes telemetry from anybody and complains about it
            Args = ["--DOTNET_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true", .. args],
            AssemblyName = typeof(ShopDefaults).Assembly.GetName().Name, // which knows where the orchestrator is, in tests too
            AllowUnsecuredTransport = true,
            DisableDashboard = !shop.Dashboard,
            DashboardApplicationName = "Shop",
            TrustDeveloperCertificate = false, // http only: neither a certificate nor a complaint about a missing one
            DeveloperCertificateDefaultHttpsTerminationEnabled = false,
        });
        builder.Configuration["AppHost:OtlpApiKey"] = kept.Secret("dashboard/telemetry");
        builder.Configuration["AppHost:DashboardApiKey"] = kept.Secret("dashboard/api");
        builder.Configuration["Logging:LogLevel:Default"] = "Warning";
        builder.Configuration["Logging:LogLevel:Aspire.Hosting.DistributedApplication"] = "Warning";
        builder.Configuration["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None";
        builder.Configuration["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error"; // a new machine's first key is no news
        builder.Services.AddSingleton(shop).AddSingleton(new Patience()).AddSingleton<ShopReport>().AddHostedService<ShopLifetime>();
        // first of all: Aspire's own services do not return from starting until there are healthy resources
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, Supervisor>());
        return builder;
    }

    /// <summary>Sets the environment variable where it is not set.</summary>
    private static void Default(string name, string value)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))) Environment.SetEnvironmentVariable(name, value);
    }
}
