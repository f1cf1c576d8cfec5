using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Shop.ServiceDefaults;

/// <summary>OpenTelemetry traces and metrics, sent by OTLP.</summary>
internal static class Telemetry
{
    /// <summary>
    /// Listens to Shop's own sources and meters (<c>Shop.*</c>), Npgsql, ASP.NET Core and HttpClient. Without
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> nothing is registered: an instrument nobody listens to costs a null check.
    /// </summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return;

        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService(builder.Environment.ApplicationName)
                // again after the default name, so that OTEL_SERVICE_NAME, which the AppHost sets, wins
                .AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing
                .AddSource("Shop.*", "Npgsql")
                .AddAspNetCoreInstrumentation(options =>
                    options.Filter = context => !context.Request.Path.StartsWithSegments(HealthEndpoints.Path))
                .AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics
                .AddMeter("Shop.*", "Npgsql")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation())
            .UseOtlpExporter();
    }
}
