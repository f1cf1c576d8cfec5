using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;
using Shop.ServiceDefaults.Problems;

namespace Shop.ServiceDefaults;

/// <summary>What every process of Shop does alike: telemetry, health, authentication, errors, limits, logs, addresses, OpenAPI.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>The longest request body that a service reads, in bytes; a longer one is answered with 413.</summary>
    public const int MaxRequestBodyBytes = 128 * 1024;

    /// <summary>Registers the defaults; <see cref="MapServiceDefaults"/> puts them into the pipeline.</summary>
    /// <param name="builder">The process's builder.</param>
    /// <param name="authentication">False for a process that takes no tokens, such as the payment provider.</param>
    /// <exception cref="InvalidOperationException">Authentication is wanted and not, or not safely, configured.</exception>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder, bool authentication = true)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);

        AddLogging(builder);
        builder.AddTelemetry();
        builder.Services.AddHealthChecks();
        Draining.Add(builder.Services);
        builder.Services.AddProblemResponses();
        builder.Services.ConfigureHttpJsonOptions(options => StrictJson.Configure(options.SerializerOptions));
        builder.Services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = MaxRequestBodyBytes;
            // More than the gateway takes (Kestrel's defaults), which adds headers and escapes paths: what it lets pass, a service reads to the
            // end and answers. A service that closed the connection instead would look like one that is away.
            options.Limits.MaxRequestLineSize = 4 * options.Limits.MaxRequestLineSize;
            options.Limits.MaxRequestHeadersTotalSize = 2 * options.Limits.MaxRequestHeadersTotalSize;
            options.Limits.MaxRequestHeaderCount = 2 * options.Limits.MaxRequestHeaderCount;
        });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddServiceDiscovery();
        builder.AddApiDocument(authentication);
        if (authentication)
            builder.AddTokenAuthentication();
        return builder;
    }

    /// <summary>
    /// Error handling, authentication and <c>/health/live</c> and <c>/health/ready</c>; to be called before the
    /// service maps its own endpoints. Checks tagged <see cref="HealthEndpoints.ReadyTag"/> decide readiness.
    /// </summary>
    public static WebApplication MapServiceDefaults(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        Draining.Use(app);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseMiddleware<RequestGuard>();
        if (app.Services.GetService<IAuthenticationSchemeProvider>() is not null)
        {
            app.UseAuthentication();
            app.UseAuthorization();
        }

        app.MapHealthEndpoints();
        app.MapApiDocument();
        return app;
    }

    private static void AddLogging(IHostApplicationBuilder builder)
    {
        // the first source is the weakest: appsettings.json and the environment still decide
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Warning",
                // the probes' answers tell it; the supervisor asks many times a second while a service starts
                ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None",
                ["Logging:LogLevel:System.Net.Http.HttpClient"] = "Warning",
            },
        });
        builder.Logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
    }
}
