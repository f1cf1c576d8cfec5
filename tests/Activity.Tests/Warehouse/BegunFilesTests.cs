using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;
using Shop.Testing;

namespace Shop.Activity.Tests.Warehouse;

/// <summary>What is noted of files that are begun, where two write since one has not heard that it has lost the lock.</summary>
public sealed class BegunFilesTests(ShopFixture shops)
{
    [Fact]
    public async Task Who_had_to_wait_for_the_note_of_the_next_file_sends_nothing_before_it()
    {
        using var storage = new TakingStorage();
        await using var database = await shops.MigratedAsync();
        var warehouse = new S3Warehouse(storage, database, Options.Create(new WarehouseOptions { S3 = new() { Bucket = "warehouse" } }), TimeProvider.System);
        var first = new WarehouseFile("orders", 0, new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero), 0, 3);
        var next = first with { First = 4, Last = 7 };
        await WriteAsync(first);
        await using (var session = await database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var holding = await session.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            // the first file's note is forgotten with the second one's
            await using var hold = new NpgsqlCommand("SELECT FROM warehouse_begun FOR UPDATE", session, holding);
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            var goingOn = WriteAsync(next);
            await Eventually.BecomesAsync(1L, WaitingAsync);
            var late = WriteAsync(first);
            await Eventually.BecomesAsync(2L, WaitingAsync);
            await holding.CommitAsync(TestContext.Current.CancellationToken);
            await goingOn;
            await Assert.ThrowsAsync<IOException>(() => late);
        }
        Assert.Equal([first.Path, next.Path], storage.Taken.ToArray());

        Task WriteAsync(WarehouseFile file) => warehouse.WriteAsync(file, file.First, _ => Task.CompletedTask, TestContext.Current.CancellationToken);

        async Task<long> WaitingAsync()
        {
            await using var command = database.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
            return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }
    }

    private sealed class TakingStorage() : AmazonS3Client(new AnonymousAWSCredentials(), RegionEndpoint.USEast1)
    {
        public ConcurrentQueue<string> Taken { get; } = new();

        public override Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
        {
            Taken.Enqueue(request.Key);
            return Task.FromResult(new PutObjectResponse());
        }
    }
}
