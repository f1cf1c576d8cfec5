using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Shop.ServiceDefaults;

/// <summary>OpenTelemetry traces, metrics and logs, sent by OTLP.</summary>
internal static class Telemetry
{
    /// <summary>The setting that chooses another sampler. Source: OpenTelemetry specification, SDK environment variables.</summary>
    private const string SamplerSetting = "OTEL_TRACES_SAMPLER";

    /// <summary>
    /// Listens to Shop's own sources and meters (<c>Shop.*</c>), Npgsql, ASP.NET Core, HttpClient and the runtime, and exports logs with the
    /// trace they were written in. Without <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> nothing is registered: an instrument nobody listens to costs a
    /// null check.
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
            .WithTracing(tracing =>
            {
                tracing
                    .AddSource("Shop.*")
                    .AddNpgsql()
                    .AddProcessor(new QueryNames())
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = context => !context.Request.Path.StartsWithSegments(HealthEndpoints.Path))
                    .AddHttpClientInstrumentation();
                if (string.IsNullOrEmpty(builder.Configuration[SamplerSetting]))
                    tracing.SetSampler(new ParentBasedSampler(new RootWorkSampler()));
            })
            .WithMetrics(metrics => metrics
                // System.Runtime is .NET's own meter: what the instrumentation package would add on .NET 10 is this very line
                .AddMeter("Shop.*", "Npgsql", "System.Runtime")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation())
            .WithLogging(configureBuilder: null, options =>
            {
                options.IncludeScopes = true;
                options.IncludeFormattedMessage = true;
            })
            .UseOtlpExporter();
    }

    /// <summary>
    /// Leaves out a call to another system that belongs to no work: the polls of workers, which are many a second and would bury the
    /// traces that a person looks for. Requests, messages and the shop's own work begin traces.
    /// </summary>
    private sealed class RootWorkSampler : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(samplingParameters.Kind == System.Diagnostics.ActivityKind.Client ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
    }
}
