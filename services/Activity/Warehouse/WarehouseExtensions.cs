using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Microsoft.Extensions.Options;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Activity.Warehouse;

internal static class WarehouseExtensions
{
    /// <summary>Has the warehouse written, where a folder or a bucket is named for it.</summary>
    public static void AddWarehouse(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<WarehouseOptions>().BindConfiguration("Warehouse").ValidateDataAnnotations()
            // localhost:9000 is an address too, of the scheme localhost
            .Validate(options => options.S3.Endpoint is not { } endpoint || (endpoint.IsAbsoluteUri && endpoint.Scheme is "http" or "https"), "Warehouse:S3:Endpoint must begin with http:// or https://.").ValidateOnStart();
        var hasBucket = !string.IsNullOrEmpty(builder.Configuration["Warehouse:S3:Bucket"]);
        if (!hasBucket && string.IsNullOrEmpty(builder.Configuration["Warehouse:Directory"]))
            return;
        if (hasBucket)
        {
            builder.Services.AddSingleton(services => ClientOf(services.GetRequiredService<IOptions<WarehouseOptions>>().Value.S3));
            builder.Services.AddSingleton<IWarehouse, S3Warehouse>();
        }
        else
        {
            builder.Services.AddSingleton<IWarehouse>(services => new LocalWarehouse(services.GetRequiredService<IOptions<WarehouseOptions>>().Value.Directory!));
        }
        builder.Services.AddSingleton<WarehouseHealth>().AddWorker<WarehouseWriter>("warehouse");
        builder.Services.AddHealthChecks().AddCheck<WarehouseHealth>("warehouse", tags: [HealthEndpoints.ReadyTag]);
    }

    private static IAmazonS3 ClientOf(S3Options options)
    {
        // not every storage that speaks S3 knows the checksums that AWS's has learnt since
        var config = new AmazonS3Config { RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED };
        if (options.Endpoint is { } endpoint)
            (config.ServiceURL, config.ForcePathStyle, config.AuthenticationRegion) = (endpoint.ToString(), true, options.Region);
        else
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        return new AmazonS3Client(config);
    }
}
