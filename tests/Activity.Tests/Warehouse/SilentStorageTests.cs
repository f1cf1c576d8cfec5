using System.IO.Pipelines;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Tests.Warehouse;

/// <summary>A storage that answers, and then says nothing more.</summary>
public sealed class SilentStorageTests
{
    [Fact]
    public async Task A_storage_that_stops_in_the_middle_of_a_file_is_not_waited_for()
    {
        using var storage = new SilentStorage();
        await using var database = NpgsqlDataSource.Create("Host=127.0.0.1");
        var warehouse = new S3Warehouse(storage, database, Options.Create(new WarehouseOptions { S3 = new() { Bucket = "warehouse" } }), new HurriedTime());
        var file = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 0, 3);

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => warehouse.OpenAsync(file, TestContext.Current.CancellationToken));
        Assert.Contains(file.Path, failure.Message, StringComparison.Ordinal);
    }

    private sealed class SilentStorage() : AmazonS3Client(new AnonymousAWSCredentials(), RegionEndpoint.USEast1)
    {
        public override Task<GetObjectResponse> GetObjectAsync(string bucketName, string key, CancellationToken cancellationToken = default) =>
            Task.FromResult(new GetObjectResponse { ResponseStream = new Pipe().Reader.AsStream() });
    }

    /// <summary>Whatever is waited for is over at once.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
